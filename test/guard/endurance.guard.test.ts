/**
 * What the daemon holds after a thousand pods have come and gone. Its memory is read when it has collected its garbage:
 * how much is waiting for that depends on how busy the machine is, and is no leak. Of several readings the least counts,
 * since what is under way beside only adds.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { check } from '../cluster/process.ts'
import { CniClient } from './cni-client.ts'
import { GuardedNode } from './guarded-node.ts'
import { type Resources, resourcesOf, rssOf } from './resources.ts'

/** At the same time: the kernel ends many links as fast as one. */
const PODS = 25
const FIRST = 100
const ALL = 1_000
const READINGS = 3
const BETWEEN_READINGS = 200
/** Of what it held after the first. */
const GROWTH = 1.1
const ROOT = join(import.meta.dirname, '..', '..')

let guarded: GuardedNode
beforeAll(async () => {
  guarded = await GuardedNode.start(PODS)
})
afterAll(() => guarded?.[Symbol.asyncDispose]())

/** So many ADDs, each with its DEL. */
async function cycles(client: CniClient, count: number): Promise<void> {
  let left = count
  const lane = guarded.pods.map(async (pod) => {
    while (left-- > 0) {
      await client.call('Add', pod)
      await client.call('Del', pod)
    }
  })
  await Promise.all(lane)
  await guarded.removed()
}

interface Held extends Resources {
  /** MB */
  readonly rss: number
}

async function held(): Promise<Held> {
  const { pid, node } = guarded
  const script = join(import.meta.dirname, 'collect-garbage.ts')
  const collect = ['nsenter', `--net=${node.netnsPath}`, join(ROOT, 'hack', 'node'), script, String(pid)]
  const readings: number[] = []
  for (let i = 0; i < READINGS; i++) {
    await check(collect)
    await sleep(BETWEEN_READINGS)
    readings.push(rssOf(pid))
  }
  return { ...resourcesOf(pid, node.directory), rss: Math.min(...readings) }
}

test('after 1,000 ADDs and DELs the daemon holds what it held after 100, and a tenth more memory at most', async () => {
  using client = new CniClient(guarded.node.socket)
  await cycles(client, FIRST)
  const { rss, ...others } = await held()
  await cycles(client, ALL - FIRST)
  const now = await held()
  expect(now).toEqual({ ...others, rss: expect.any(Number) })
  expect(now.rss).toBeLessThan(rss * GROWTH)
})
