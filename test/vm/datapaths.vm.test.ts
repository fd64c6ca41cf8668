/** The daemon and the plugin with what only Debian's kernel has: members of a trunk ENI, and IPVlan. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Cluster } from '../cluster/cluster.ts'
import type { CniCall } from '../cluster/cni.ts'
import type { Node } from '../cluster/node.ts'
import { ping } from '../cluster/ping.ts'
import { type End, waysBetween, waysFrom } from '../cluster/pings.ts'
import type { Pod } from '../cluster/pod.ts'
import { check } from '../cluster/process.ts'
import { gone } from '../e2e/testbed.ts'

const REGION = join(import.meta.dirname, '..', '..', 'conf', 'regions', 'trunk.yaml')
/** The metadata service: outside of the VPC. */
const OUTSIDE = { name: 'outside', ips: ['100.100.100.200'] }
/** The emulated machine takes ten times as long as a real one, ms. */
const PATIENCE = 90_000

let cluster: Cluster
/** Has a trunk ENI, with a member for each pod. */
let trunk: Node
/** Has shared ENIs. */
let shared: Node

beforeAll(async () => {
  cluster = await Cluster.start({
    ...{ prefix: 'tw-vm', region: REGION, patience: PATIENCE },
    eniConf: { min_pool_size: 2, max_pool_size: 2, ip_cooldown_seconds: 1 },
    nodeConf: { 'node-a': { network_mode: 'Trunk' } },
  })
  trunk = cluster.node('node-a')
  shared = cluster.node('node-b')
}, 3 * PATIENCE)

afterAll(async () => {
  await cluster?.stop()
})

async function run(node: Node, name: string, extra: CniCall['extra'] = {}): Promise<Pod> {
  const pod = await cluster.createPod(node, name)
  await pod.add(extra)
  return pod
}

/** And waits until nothing of them is left. */
async function remove(pods: readonly Pod[], node: Node): Promise<void> {
  for (const pod of pods) await pod.del().then(() => pod.destroy())
  await gone(
    node,
    pods.map(({ ip }) => ip),
    PATIENCE,
  )
}

/** Packets lost between all ends, and from pods to what is outside of the VPC. */
async function lost(pods: readonly Pod[], others: readonly End[]): Promise<number> {
  const ways = [...waysBetween([...pods, ...others]), ...pods.flatMap((pod) => waysFrom(pod, OUTSIDE))]
  const answers = await Promise.all(ways.map(({ from, to }) => ping({ from, to, count: 3, interval: 100 })))
  return answers.reduce((sum, answer) => sum + answer.lost, 0)
}

/** What the pod's interface is, in words of iproute2. */
const interfaceOf = (pod: Pod) => check(['ip', '-n', pod.netns, '-d', 'link', 'show', 'dev', 'eth0'])

/** VLAN ids that the cloud has given to the members that the pods have. */
async function vlanIds(pods: readonly Pod[]): Promise<number[]> {
  const { enis } = await trunk.show()
  return pods.flatMap(({ ip }) => enis.flatMap((eni) => (eni.primaryIp === ip ? [eni.vlanId] : [])))
}

test('with vlan_strip_type "filter" the node tags the packets of a pod', async () => {
  const pod = await run(trunk, 'tagged', { vlan_strip_type: 'filter' })
  expect(await interfaceOf(pod)).toContain(' veth ')
  const [id] = await vlanIds([pod])
  const eni = (await trunk.show()).enis.find(({ role }) => role === 'trunk')?.link ?? ''
  const filters = await check(['nsenter', `--net=${trunk.netnsPath}`, 'tc', 'filter', 'show', 'dev', eni, 'egress'])
  expect(filters).toContain(`push id ${id} `)
  expect(await lost([pod], cluster.nodes)).toBe(0)
  expect((await trunk.verify()).differences).toEqual([])
  await remove([pod], trunk)
})

// What takes the tags off for the pod before would keep everything from these.
test('without it pods of the same trunk have the VLAN subinterfaces of their members', async () => {
  const pods = [await run(trunk, 'vlan-1'), await run(trunk, 'vlan-2')]
  const ids = await vlanIds(pods)
  expect(new Set(ids.filter((id) => id > 0)).size).toBe(pods.length)
  for (const [i, pod] of pods.entries()) expect(await interfaceOf(pod)).toContain(`vlan protocol 802.1Q id ${ids[i]} `)
  expect(await lost(pods, cluster.nodes)).toBe(0)
  expect((await trunk.verify()).differences).toEqual([])
  await remove(pods, trunk)
})

test('with eniip_virtual_type "IPVlan" pods have slaves of their shared ENI', async () => {
  const ipvlan = { eniip_virtual_type: 'IPVlan' }
  const pods = [await run(shared, 'ipvlan-1', ipvlan), await run(shared, 'ipvlan-2', ipvlan)]
  for (const pod of pods) expect(await interfaceOf(pod)).toContain('ipvlan  mode l2 ')
  expect(await lost(pods, cluster.nodes)).toBe(0)
  expect((await shared.verify()).differences).toEqual([])
  await remove(pods, shared)
})
