import { describe, expect, test } from '@jest/globals'
import { NO_LATENCY, testRegion } from '../../test/simulator/region.ts'
import { signedRequest } from '../../test/simulator/sign-request.ts'
import { Cloud } from '../cloud/cloud.ts'
import { Audit, type AuditEntry } from './audit.ts'
import { Gateway } from './gateway.ts'

const ENTRY: Omit<AuditEntry, 'n'> = {
  ...{ time: '2026-11-21T05:39:00.000Z', milliseconds: 1, action: 'DescribeInstances', code: 'OK', status: 200 },
  ...{ effect: false, requestId: 'r', parameters: { RegionId: 'cn-sim' } },
}
const numbers = (audit: Audit) => audit.entries.map(({ n }) => n)

describe('what is kept', () => {
  test('ends at a number of entries, the oldest first', () => {
    const audit = new Audit({ entries: 20, characters: 1e6 })
    for (let i = 0; i < 21; i++) audit.add(ENTRY)
    expect([audit.entries[0]?.n, audit.entries.at(-1)?.n, audit.entries.length]).toEqual([4, 21, 18])
    expect(audit.since(19).map(({ n }) => n)).toEqual([20, 21])
    expect(audit.since(1)).toHaveLength(18)
  })

  test('ends at a number of characters, however many entries they are', () => {
    const audit = new Audit({ entries: 1e6, characters: 10_000 })
    const add = (characters: number) => audit.add({ ...ENTRY, parameters: { RegionId: 'x'.repeat(characters) } })
    for (let i = 0; i < 1000; i++) add(0)
    expect(audit.entries.length).toBeGreaterThan(30)
    expect(JSON.stringify(audit.entries).length).toBeLessThanOrEqual(10_000 + audit.entries.length + 1)
    for (let i = 0; i < 20; i++) add(1000)
    expect(JSON.stringify(audit.entries).length).toBeLessThanOrEqual(10_000 + audit.entries.length + 1)
    expect(numbers(audit).at(-1)).toBe(1020)
    expect(numbers(audit)).toEqual(numbers(audit).map((_, i) => (audit.entries[0]?.n ?? 0) + i))
  })

  test('of a long text is its beginning', () => {
    const audit = new Audit()
    audit.add({ ...ENTRY, action: 'A'.repeat(1025), parameters: { A: 'a'.repeat(1024), B: 'b'.repeat(200_000) } })
    const [entry] = audit.entries
    expect(entry?.action).toBe(`${'A'.repeat(1024)}… (1025 characters)`)
    expect(entry?.parameters).toEqual({ A: 'a'.repeat(1024), B: `${'b'.repeat(1024)}… (200000 characters)` })
  })
})

describe('parameters are kept', () => {
  async function keptOf(options: { readonly keyId?: string; readonly secret?: string }) {
    const audit = new Audit()
    const cloud = new Cloud({ region: testRegion({ latencies: NO_LATENCY }), now: Date.now })
    const onInternalError = (error: unknown) => {
      throw error
    }
    const gateway = new Gateway({ cloud, audit, now: Date.now, changed: async () => undefined, onInternalError })
    const query = { RegionId: 'cn-x', ClientToken: 't', Junk: 'x' }
    await gateway.answer(signedRequest({ action: 'CreateNetworkInterface', query, ...options }))
    const [entry] = audit.entries
    return [entry?.code, entry?.parameters, entry?.region, entry?.clientToken]
  }

  test('of a call that is refused', async () => {
    const sent = { RegionId: 'cn-x', ClientToken: 't', Junk: 'x' }
    expect(await keptOf({})).toEqual(['InvalidRegionId.NotFound', sent, 'cn-x', 't'])
  })

  test('only of who has shown a key', async () => {
    const nothing = [{}, undefined, undefined]
    expect(await keptOf({ keyId: 'LTAInobody' })).toEqual(['InvalidAccessKeyId.NotFound', ...nothing])
    expect(await keptOf({ secret: 'wrong' })).toEqual(['SignatureDoesNotMatch', ...nothing])
  })
})
