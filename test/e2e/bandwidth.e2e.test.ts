/** What a runtime asks of a pod's bandwidth is held on both sides of it: on the node's end of a veth, else in the pod. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import type { Cluster } from '../cluster/cluster.ts'
import { compareStates, type KernelState, kernelState } from '../cluster/kernel-state.ts'
import type { Node } from '../cluster/node.ts'
import { pingWhile, waysBetween } from '../cluster/pings.ts'
import type { Pod } from '../cluster/pod.ts'
import { check, until } from '../cluster/process.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import { gone, startCluster } from './testbed.ts'

/** As containerd spells it; it has no burst to give. Bits per second and bits. */
const NO_BURST = 2 ** 32 - 1
const RUNTIME_CONFIG = {
  bandwidth: { IngressRate: 80_000_000, IngressBurst: NO_BURST, EgressRate: 16_000_000, EgressBurst: NO_BURST },
}
/** Bytes per second. */
const TO_POD = 10_000_000
const FROM_POD = 2_000_000

/** How long a packet may wait for its turn, µs. */
const LATENCY = 25_000

const OPTIONS = z.object({ rate: z.int().optional(), lat: z.int().optional() })
const QDISCS = z.array(z.object({ kind: z.string(), dev: z.string(), options: OPTIONS }))

let cluster: Cluster
let before: KernelState[]
let pods: Pod[] = []

beforeAll(async () => {
  const nodeConf = { 'node-b': { network_mode: 'ENI' } }
  cluster = await startCluster({ prefix: 'tw-bandwidth', nodeConf })
  await assertConsistent(cluster)
  before = await Promise.all(cluster.nodes.map(({ netnsPath }) => kernelState(netnsPath)))
})

afterEach(async () => {
  for (const pod of pods) await pod.del().then(() => pod.destroy())
  pods = []
  for (const node of cluster.nodes) await gone(node, [])
  const after = await Promise.all(cluster.nodes.map(({ netnsPath }) => kernelState(netnsPath)))
  expect(after.flatMap((state, index) => compareStates(before[index] ?? state, state))).toEqual([])
  await assertConsistent(cluster)
})

afterAll(async () => {
  await cluster?.stop()
})

/** A pod with limits, that passes packets. */
async function run(node: Node): Promise<Pod> {
  const pod = await cluster.createPod(node, 'limited')
  pods.push(pod)
  await pod.add({ runtimeConfig: RUNTIME_CONFIG })
  const pinged = await pingWhile(waysBetween([pod, ...cluster.nodes]), async () => undefined)
  expect(pinged.map(({ lost }) => lost)).toEqual(pinged.map(() => 0))
  return pod
}

const inNetns = ({ netnsPath }: Pick<Pod, 'netnsPath'>, ...argv: string[]) =>
  check(['nsenter', `--net=${netnsPath}`, ...argv])

/** Token buckets of the namespace: bytes per second by device. */
async function limits(where: Pick<Pod, 'netnsPath'>): Promise<Readonly<Record<string, number | undefined>>> {
  const all = QDISCS.parse(JSON.parse(await inNetns(where, 'tc', '-j', 'qdisc', 'show')))
  const buckets = all.filter(({ kind }) => kind === 'tbf')
  expect(buckets.map(({ options }) => options.lat)).toEqual(buckets.map(() => LATENCY))
  return Object.fromEntries(buckets.map(({ dev, options }) => [dev, options.rate]))
}

const filters = (where: Pick<Pod, 'netnsPath'>, dev: string) =>
  inNetns(where, 'tc', 'filter', 'show', 'dev', dev, 'ingress')

/** What CHECK complains of; it must. */
async function complaint(pod: Pod): Promise<string> {
  const { error } = await pod.node.cni('CHECK', pod.call)
  expect(error?.code).toBe(103)
  return error?.msg ?? ''
}

describe('on a shared ENI', () => {
  let node: Node
  let pod: Pod
  let link: string
  let shaper: string

  beforeEach(async () => {
    node = cluster.node('node-a')
    pod = await run(node)
    link = (await node.show()).endpoints[0]?.hostLink ?? ''
    shaper = link.replace('cali', 'ifb')
  })

  test("the limits are on the node's end of the veth, where the pod cannot undo them", async () => {
    expect(await limits(node)).toEqual({ [link]: TO_POD, [shaper]: FROM_POD })
    expect(await filters(node, link)).toContain(`(Egress Redirect to device ${shaper})`)
    expect(await limits(pod)).toEqual({})
    expect(await node.cni('CHECK', pod.call)).toMatchObject({ status: 0 })
  })

  test('one that somebody deletes is put back', async () => {
    await inNetns(node, 'tc', 'qdisc', 'delete', 'dev', link, 'root')
    const back = async () => ((await limits(node))[link] === undefined ? undefined : true)
    await until(back, { what: 'the limit to be put back' })
    expect(await limits(node)).toEqual({ [link]: TO_POD, [shaper]: FROM_POD })
  })

  test('CHECK names what somebody has changed or deleted', async () => {
    // The kernel tells of neither as of a qdisc that is gone.
    const other = ['rate', '1mbit', 'burst', '64kb', 'latency', '25ms']
    await inNetns(node, 'tc', 'qdisc', 'change', 'dev', shaper, 'root', 'tbf', ...other)
    expect(await complaint(pod)).toMatch(new RegExp(`qdisc [^;]*${shaper}[^;]* on the node is different`))
    await inNetns(node, 'tc', 'filter', 'delete', 'dev', link, 'ingress')
    expect(await complaint(pod)).toMatch(new RegExp(`filter [^;]*${link}[^;]* on the node is missing`))
  })
})

describe('on an exclusive ENI', () => {
  test('the limits are in the pod, and CHECK names one that somebody deletes', async () => {
    const node = cluster.node('node-b')
    const pod = await run(node)
    expect(await limits(pod)).toEqual({ eth0: FROM_POD, ifbeth0: TO_POD })
    expect(await filters(pod, 'eth0')).toContain('(Egress Redirect to device ifbeth0)')
    expect(await limits(node)).toEqual({})
    expect(await node.cni('CHECK', pod.call)).toMatchObject({ status: 0 })
    await inNetns(pod, 'tc', 'qdisc', 'delete', 'dev', 'eth0', 'root')
    expect(await complaint(pod)).toMatch(/qdisc [^;]*eth0[^;]* in the pod is missing/)
  })
})
