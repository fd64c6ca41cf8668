/**
 * `kill -9` at every step: the daemon's pool, with its journal on disk and its client of the cloud over HTTP, is killed
 * at each write of its journal and at each of its calls, before and after and in between. Its successor ends the work;
 * then nothing is leaked in the cloud, no address is given twice, and what belongs to others is as it was. What there is
 * to be killed at, a run tells in which nobody is.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { casesOf, follow, type Result, tryCase } from './cases.ts'
import type { Flaw } from './flaws.ts'
import { NodeHost } from './node-host.ts'
import { SCENARIOS, scenarioNamed } from './scenarios.ts'
import type { Death } from './steps.ts'
import { inWords, rowOf, totals } from './table.ts'
import type { FaultKind } from './verdict.ts'

/** Cases at the same time. Most of one is waiting for made-up latencies. */
const LANES = 10

const results: Result[] = []
let cache: string
let hosts: NodeHost[]

beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), 'terway-fault-cache-'))
  hosts = Array.from({ length: LANES }, () => new NodeHost(cache))
})

afterAll(() => {
  for (const host of hosts) host[Symbol.dispose]()
  rmSync(cache, { recursive: true, force: true })
  process.stdout.write(`\n${[...results.map(rowOf), '', totals(results)].join('\n')}\n`)
})

test.each(SCENARIOS)('$name', async (scenario) => {
  const course = await follow(hostAt(0), scenario)
  expect(course.faults).toEqual([])
  const cases = [...casesOf(course).entries()]
  const tried: Result[] = []
  await Promise.all(
    hosts.map(async (host) => {
      for (let next = cases.shift(); next !== undefined; next = cases.shift()) {
        const [index, one] = next
        tried[index] = await tryCase(host, one)
      }
    }),
  )
  results.push(...tried)
  expect(tried.filter(({ faults }) => faults.length > 0).map(inWords)).toEqual([])
  expect(tried.filter(({ reached, kind }) => !reached && kind !== 'look').map(inWords)).toEqual([])
})

/** One that the suite does not notice would make all of the above worth nothing. */
test.each<[Flaw, string, Death, FaultKind]>([
  ['no token', 'create: a cold start', { step: 'CreateNetworkInterface', moment: 'unread' }, 'leaked'],
  ['no token', 'assign: a second batch', { step: 'AssignPrivateIpAddresses', moment: 'sent' }, 'leaked'],
  ['late intent', 'create: a cold start', { step: 'CreateNetworkInterface', moment: 'unread' }, 'unaccounted'],
  ['late intent', 'assign: a second batch', { step: 'AssignPrivateIpAddresses', moment: 'unread' }, 'unaccounted'],
  ['early drop', 'release: addresses go back', { step: 'UnassignPrivateIpAddresses', moment: 'unsent' }, 'unaccounted'],
])('a daemon with %s is found out: %s', async (flaw, name, death, kind) => {
  const one = { scenario: scenarioNamed(name), kind: 'call', death, returns: 'at once', flaw } as const
  const { faults } = await tryCase(hostAt(0), one)
  expect(faults.map((fault) => fault.kind)).toContain(kind)
})

function hostAt(lane: number): NodeHost {
  const host = hosts[lane]
  if (host === undefined) throw new Error(`there is no lane ${lane}`)
  return host
}
