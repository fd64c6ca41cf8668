/** Others undo what the daemon has set up, while pods are at work: it is put back, told of, and nothing else is touched. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { z } from 'zod'
import type { Cluster } from '../cluster/cluster.ts'
import { compareStates, type KernelObject, kernelState } from '../cluster/kernel-state.ts'
import type { Node } from '../cluster/node.ts'
import { PING_INTERVAL, pingWhile, type Way, type WayResult, waysBetween, waysFrom } from '../cluster/pings.ts'
import type { Pod } from '../cluster/pod.ts'
import { check, until } from '../cluster/process.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import { startCluster } from './testbed.ts'

const REGION = join(import.meta.dirname, '..', '..', 'conf', 'regions', 'dual-stack.yaml')
/** Requests that a way may be without an answer: those of a second. */
const MOST_LOST = 1_000 / PING_INTERVAL
/** Rules of another program, one before and one between ours. */
const FOREIGN = ['77', '600']
const REPAIRED = 'put back what somebody else had removed or changed'
const LOG_LINE = z.object({ msg: z.string(), differences: z.array(z.string()).optional() })

let cluster: Cluster
let node: Node
let far: Node
let pods: Pod[]
let ways: Way[]
/** Link of the ENI that has the pods' addresses. */
let eni: { readonly link: string; readonly ifindex: number }

beforeAll(async () => {
  cluster = await startCluster({ prefix: 'tw-repair', region: REGION, eniConf: { ip_stack: 'dual' } })
  node = cluster.node('node-a')
  far = cluster.node('node-b')
  await assertConsistent(cluster)
  pods = [await cluster.createPod(node, 'pod-1'), await cluster.createPod(node, 'pod-2')]
  for (const pod of pods) await pod.add()
  ways = [...waysBetween([...pods, node]), ...pods.flatMap((pod) => [...waysFrom(pod, far), ...waysFrom(far, pod)])]
  const { endpoints, enis } = await node.show()
  const found = enis.find(({ id }) => id === endpoints[0]?.eniId)
  if (found === undefined) throw new Error('the pods have no ENI')
  eni = found
})

afterAll(async () => {
  await cluster?.stop()
})

const onNode = (...argv: string[]) => check(['nsenter', `--net=${node.netnsPath}`, ...argv])

async function inBothFamilies(...argv: string[]): Promise<void> {
  for (const family of ['-4', '-6']) await onNode('ip', family, ...argv)
}

/** Rules, a table with a route, and a table of nftables, all of another program. */
async function addForeign(): Promise<void> {
  for (const priority of FOREIGN) await inBothFamilies('rule', 'add', 'priority', priority, 'lookup', '7777')
  for (const nowhere of ['192.0.2.0/24', '2001:db8:ffff::/48']) {
    await onNode('ip', 'route', 'replace', 'unreachable', nowhere, 'table', '7777')
  }
  await onNode('nft', 'add', 'table', 'inet', 'somebodys')
}

/** One line of the log for each repair since this length of it, with its differences. */
function repairsSince(length: number): readonly string[] {
  const lines = readFileSync(node.logFile, 'utf8').slice(length).trimEnd().split('\n')
  const read = lines.filter((line) => line !== '').map((line) => LOG_LINE.parse(JSON.parse(line)))
  return read.flatMap(({ msg, differences = [] }) => (msg === REPAIRED ? differences : []))
}

/** The node's end of each pod's link. */
async function podLinks(): Promise<readonly { readonly link: string; readonly ips: readonly string[] }[]> {
  return (await node.show()).endpoints.map(({ hostLink, ips }) => ({ link: hostLink, ips }))
}

/** Of the metric: repairs of this kind of object so far. */
async function repairs(object: string): Promise<number> {
  const line = new RegExp(`^terway_drift_repairs_total\\{object="${object}",outcome="repaired"\\} (\\d+)$`, 'm')
  return Number(line.exec(await node.metrics())?.[1])
}

/** Waits until what is broken has been noticed and put back. */
async function untilRepaired(object: string, since: number): Promise<void> {
  const told = () => (repairsSince(since).some((text) => text.startsWith(`host ${object} `)) ? true : undefined)
  await until(told, { what: `a repair of a ${object} in ${node.logFile}` })
  const whole = async () => ((await node.verify()).differences.length === 0 ? true : undefined)
  await until(whole, { what: 'the kernel to be as planned' })
}

/** The ways that are without an answer for too long. */
async function gapsWhile(object: string, undo: () => Promise<unknown>): Promise<readonly WayResult[]> {
  const since = readFileSync(node.logFile, 'utf8').length
  const pinged = await pingWhile(ways, async () => {
    await undo()
    await untilRepaired(object, since)
  })
  return pinged.filter(({ gap }) => gap > MOST_LOST)
}

const tableOfEni = () => String(1000 + eni.ifindex)

const CASES: readonly { what: string; object: string; undo: () => Promise<unknown>; takes?: KernelObject }[] = [
  { what: 'all rules are flushed', object: 'rule', undo: () => inBothFamilies('rule', 'flush'), takes: 'rules' },
  {
    ...{ what: "the routes of the ENI's table are flushed", object: 'route' },
    undo: () => inBothFamilies('route', 'flush', 'table', tableOfEni()),
  },
  {
    ...{ what: 'the routes to the pods are flushed', object: 'route' },
    undo: () => inBothFamilies('route', 'flush', 'table', '1000'),
  },
  {
    ...{ what: 'the neighbours on the links of the pods are deleted', object: 'neighbour' },
    undo: async () => {
      for (const { ips, link } of await podLinks())
        for (const ip of ips) await onNode('ip', 'neighbour', 'delete', ip, 'dev', link)
    },
  },
  {
    ...{ what: 'the links of the pods are set down', object: 'link' },
    undo: async () => {
      for (const { link } of await podLinks()) await onNode('ip', 'link', 'set', link, 'down')
    },
  },
  {
    ...{ what: 'the link of the ENI is set down', object: 'link' },
    undo: () => onNode('ip', 'link', 'set', eni.link, 'down'),
  },
  {
    ...{ what: 'the addresses of the ENI are flushed', object: 'address' },
    undo: () => onNode('ip', 'address', 'flush', 'dev', eni.link, 'scope', 'global'),
  },
  {
    ...{ what: 'the ruleset of nftables is flushed', object: 'mark' },
    undo: () => onNode('nft', 'flush', 'ruleset'),
    takes: 'nftables',
  },
]

test.each(CASES)('when $what, it is put back within a second of pings', async ({ object, undo, takes }) => {
  await addForeign()
  const before = await kernelState(node.netnsPath)
  const counted = await repairs(object)
  expect(await gapsWhile(object, undo)).toEqual([])
  expect(await repairs(object)).toBeGreaterThan(counted)

  const left = takes === undefined ? [] : [{ object: takes, appeared: [], disappeared: expect.anything() }]
  expect(compareStates(before, await kernelState(node.netnsPath))).toEqual(left)
  if (takes !== 'rules') for (const priority of FOREIGN) await inBothFamilies('rule', 'delete', 'priority', priority)
})

test('rules of each pod, where the node has such, are put back too', async () => {
  node.configure({ policy_route: 'rules' })
  await node.restartDaemon()
  expect(await gapsWhile('rule', () => inBothFamilies('rule', 'flush'))).toEqual([])
  await assertConsistent(cluster)
})

test('terway-cli shows what is not put back yet', async () => {
  const [pod, other] = pods
  if (pod === undefined || other === undefined) throw new Error('no pods')
  const asked = [['verify'], ['inspect', 'pod', pod.name], ['inspect', 'pod', other.name], ['inspect', 'host']]
  const answers = () => Promise.all(asked.map((args) => node.cli(...args)))
  expect((await answers()).map(({ status }) => status)).toEqual([0, 0, 0, 0])
  // The daemon is told nothing of what happens inside a pod; it looks from time to time.
  await check(['ip', '-n', pod.netns, '-6', 'route', 'delete', 'default'])
  const [verified, inspected, ...rest] = await answers()
  const missing = /default \(ipv6\) via fe80::1 dev eth0 .*missing/
  expect([verified?.status, inspected?.status, ...rest.map(({ status }) => status)]).toEqual([1, 1, 0, 0])
  expect(verified?.stdout).toMatch(missing)
  expect(inspected?.stdout).toMatch(missing)
})
