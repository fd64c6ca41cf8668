/** Exclusive ENIs: a pod has one for itself, moved into its namespace, and a second veth to its node and services. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { z } from 'zod'
import type { Cluster } from '../cluster/cluster.ts'
import { compareStates, kernelState } from '../cluster/kernel-state.ts'
import type { Node } from '../cluster/node.ts'
import { pingWhile, type Way, waysBetween, waysFrom } from '../cluster/pings.ts'
import type { Pod } from '../cluster/pod.ts'
import { check, until } from '../cluster/process.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import { gone, startCluster } from './testbed.ts'

/** A suite of its own may run beside the others. */
const PREFIX = 'tw-exclusive'
/** Of a type with four ENIs, one of which is the node's own. */
const ENIS = 3
/** Of a service: the node has it as kube-proxy gives it one. */
const SERVICE = '172.16.0.10'
/** The metadata service: outside of the VPC. */
const OUTSIDE = '100.100.100.200'

const LINKS = z.array(z.object({ ifname: z.string(), address: z.string() }))

let cluster: Cluster
let nodeA: Node
let nodeB: Node
let pods: Pod[] = []

beforeAll(async () => {
  cluster = await startCluster({ prefix: PREFIX, eniConf: { network_mode: 'ENI' } })
  nodeA = cluster.node('node-a')
  nodeB = cluster.node('node-b')
  for (const { netns } of cluster.nodes) await check(['ip', '-n', netns, 'address', 'add', SERVICE, 'dev', 'lo'])
})

afterEach(async () => {
  for (const pod of pods) await pod.del().then(() => pod.destroy())
  pods = []
  for (const node of cluster.nodes) await gone(node, [])
  await assertConsistent(cluster)
})

afterAll(async () => {
  await cluster?.stop()
})

async function run(node: Node, name: string): Promise<Pod> {
  const pod = await cluster.createPod(node, name)
  pods.push(pod)
  await pod.add()
  return pod
}

/** Between all pods and both nodes, and from each pod to a service and outside. */
function waysOf(all: readonly Pod[]): Way[] {
  const others = [
    { name: 'a service', ips: [SERVICE] },
    { name: 'outside', ips: [OUTSIDE] },
  ]
  return [
    ...waysBetween([...all, ...cluster.nodes]),
    ...all.flatMap((pod) => others.flatMap((other) => waysFrom(pod, other))),
  ]
}

const lossless = (ways: readonly Way[]) => ways.map(({ what }) => expect.objectContaining({ what, lost: 0 }))

const linksIn = async (netns: string) =>
  LINKS.parse(JSON.parse(await check(['nsenter', `--net=${netns}`, 'ip', '-j', 'link', 'show'])))

/** Name of the link with this MAC address in the node's namespace. */
async function linkOf(mac: string, node: Node): Promise<string | undefined> {
  return (await linksIn(node.netnsPath)).find(({ address }) => address === mac)?.ifname
}

/** MAC address of the pod's ENI. */
async function macOf(pod: Pod): Promise<string | undefined> {
  return (await linksIn(pod.netnsPath)).find(({ ifname }) => ifname === 'eth0')?.address
}

test('pods of two nodes reach each other, their nodes, services and outside, and nothing is left of them', async () => {
  await assertConsistent(cluster)
  const before = await Promise.all(cluster.nodes.map(({ netnsPath }) => kernelState(netnsPath)))
  const all = [await run(nodeA, 'a-1'), await run(nodeA, 'a-2'), await run(nodeB, 'b-1')]
  const ways = waysOf(all)
  expect(await pingWhile(ways, async () => undefined)).toEqual(lossless(ways))
  await assertConsistent(cluster)

  for (const pod of pods) await pod.del().then(() => pod.destroy())
  pods = []
  for (const node of cluster.nodes) {
    const ips = all.filter((pod) => pod.node === node).map(({ ip }) => ip)
    await gone(node, ips)
  }
  const after = await Promise.all(cluster.nodes.map(({ netnsPath }) => kernelState(netnsPath)))
  expect(after.flatMap((state, index) => compareStates(before[index] ?? state, state))).toEqual([])
})

test.each(['SIGKILL', 'SIGTERM'] as const)('%s of the daemon costs the running pods no packet', async (signal) => {
  const ways = waysOf([await run(nodeA, 'a-1'), await run(nodeA, 'a-2'), await run(nodeB, 'b-1')])
  expect(await pingWhile(ways, () => nodeA.restartDaemon(signal))).toEqual(lossless(ways))
  expect((await nodeA.verify()).differences).toEqual([])
})

test('DEL brings the ENI back to the node, and the next pod gets it', async () => {
  const first = await run(nodeA, 'pod-1')
  for (let i = 2; i <= ENIS; i++) await run(nodeA, `pod-${i}`)
  const mac = (await macOf(first)) ?? ''
  expect(await linkOf(mac, nodeA)).toBeUndefined()
  const next = await cluster.createPod(nodeA, 'next')
  pods.push(next)
  expect(await nodeA.cni('ADD', next.call)).toMatchObject({ status: 1, error: { code: 11 } })

  await first.del()
  const home = await until(() => linkOf(mac, nodeA), { what: 'the ENI to come back' })
  expect(home).toMatch(/^eth[1-9]$/)
  const added = async () => ((await nodeA.cni('ADD', next.call)).status === 0 ? true : undefined)
  await until(added, { what: 'its address to be free again' })
  expect(await macOf(next)).toBe(mac)
  expect(await linkOf(mac, nodeA)).toBeUndefined()
})
