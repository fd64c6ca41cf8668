import { describe, expect, test } from '@jest/globals'
import { ownerOf } from '../pool/model.ts'
import type { Reconciling } from '../pool/pool.ts'
import type { Finding, Suspicion } from '../pool/reconcile.ts'
import { Garbage, type GcFinding } from './gc.ts'
import type { SweepOptions, Swept } from './sweep.ts'

const found = (kind: Finding['kind']): Finding => ({ kind, level: 'info', message: kind, fields: {}, repeated: false })
const SEEN = new Map([['unknown eni-1' as Suspicion, 5]])

const alive = new AbortController().signal
const CLEAN: Swept = { findings: [], suspects: new Set() }
const ENDED: Swept['suspects'] = new Set([ownerOf('c1', 'eth0')])

/** A cloud that has an orphan: suspected at first, released when it was seen before. */
function setUp(pause: () => Promise<void> = async () => undefined) {
  const asked: Reconciling[] = []
  const swept: (SweepOptions | undefined)[] = []
  const counted: GcFinding[] = []
  let seen = false
  let looking = 0
  let most = 0
  const garbage = new Garbage({
    pool: {
      state: { enis: { size: 2 }, addresses: { size: 7 } },
      reconcile: async (_, how) => {
        asked.push(how)
        most = Math.max(most, ++looking)
        await Promise.resolve()
        looking -= 1
        const again = how.seen === undefined ? seen : how.seen === SEEN
        if (how.dryRun !== true) seen = true
        return { findings: [found(again ? 'released' : 'suspected')], suspicions: SEEN }
      },
    },
    sweep: {
      run: async (options) => {
        swept.push(options)
        return { findings: [], suspects: ENDED }
      },
    },
    podRoutes: () => new Map(),
    pods: () => 3,
    clock: {
      sleep: async (_, signal) => {
        await pause()
        signal?.throwIfAborted()
      },
    },
    removed: (finding) => counted.push(finding),
  })
  const run = async (dryRun: boolean, force: boolean) =>
    (await garbage.run({ dryRun, force }, alive)).findings.map(({ kind }) => kind)
  return { garbage, run, asked, swept, counted, most: () => most }
}

describe('on demand', () => {
  test('one look, what is seen once is told; a second call acts on it', async () => {
    const { run, counted } = setUp()
    expect(await run(false, false)).toEqual(['suspected'])
    expect(await run(false, false)).toEqual(['released'])
    expect(counted).toHaveLength(2)
  })

  test('with force two looks, and only what came of it', async () => {
    const { run, asked } = setUp()
    expect(await run(false, true)).toEqual(['released'])
    expect(asked).toHaveLength(2)
  })

  test('dry: nothing is changed, remembered or counted, also when it is forced', async () => {
    const { run, asked, swept, counted } = setUp()
    expect(await run(true, false)).toEqual(['suspected'])
    expect(await run(true, true)).toEqual(['released'])
    expect(asked.every(({ dryRun }) => dryRun)).toBe(true)
    expect(swept.every((options) => options?.dryRun)).toBe(true)
    expect(swept.map((options) => options?.seen)).toEqual([undefined, undefined, ENDED])
    expect(counted).toEqual([])
    expect(await run(false, false)).toEqual(['suspected'])
  })

  test('when nobody waits for the answer any more there is no second look, nor a first; what was done is counted', async () => {
    const caller = new AbortController()
    const { garbage, asked, counted } = setUp(async () => caller.abort(new Error('gone')))
    await expect(garbage.run({ dryRun: false, force: true }, caller.signal)).rejects.toThrow('gone')
    expect([asked.length, counted.length]).toEqual([1, 1])
    await expect(garbage.run({ dryRun: false, force: false }, caller.signal)).rejects.toThrow('gone')
    expect(asked).toHaveLength(1)
  })

  test('says how much was looked at', async () => {
    expect(await setUp().garbage.run({ dryRun: true, force: false }, alive)).toMatchObject({
      enis: 2,
      addresses: 7,
      pods: 3,
    })
  })
})

test('by time every sixth round looks everywhere', async () => {
  const { garbage, asked } = setUp()
  for (let i = 0; i < 7; i++) await garbage.round()
  expect(asked.map(({ thorough }) => thorough)).toEqual([true, false, false, false, false, false, true])
})

test('never two at once, and one that fails keeps no other from its turn', async () => {
  const { garbage, run, most } = setUp()
  await Promise.all([garbage.round(), run(false, true), garbage.round()])
  expect(most()).toBe(1)
  const failing = new Garbage({
    pool: {
      state: { enis: { size: 0 }, addresses: { size: 0 } },
      reconcile: () => Promise.reject(new Error('away')),
    },
    ...{ sweep: { run: async () => CLEAN }, podRoutes: () => new Map(), pods: () => 0 },
    clock: { sleep: async () => undefined },
  })
  await expect(failing.round()).rejects.toThrow('away')
  await expect(failing.round()).rejects.toThrow('away')
})
