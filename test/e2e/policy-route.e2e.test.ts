/** A node goes over from one form of policy routing to the other, by another value in eni_conf and a restart. */
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import type { Cluster } from '../cluster/cluster.ts'
import { type KernelState, kernelState } from '../cluster/kernel-state.ts'
import type { Node } from '../cluster/node.ts'
import { pingWhile, waysBetween, waysFrom } from '../cluster/pings.ts'
import type { Pod } from '../cluster/pod.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import { gone, startCluster } from './testbed.ts'

const REGION = join(import.meta.dirname, '..', '..', 'conf', 'regions', 'dual-stack.yaml')
/** The metadata service: outside of the VPC. */
const OUTSIDE = { name: 'outside', ips: ['100.100.100.200'] }
const PODS = 4

type Form = 'map' | 'rules'

let cluster: Cluster
let node: Node
let far: Node
let pods: Pod[] = []

beforeAll(async () => {
  cluster = await startCluster({ prefix: 'tw-forms', region: REGION, eniConf: { ip_stack: 'dual' } })
  node = cluster.node('node-a')
  far = cluster.node('node-b')
})

afterEach(async () => {
  for (const pod of pods) await pod.del().then(() => pod.destroy())
  const ips = pods.flatMap((pod) => pod.ips)
  pods = []
  await gone(node, ips)
  await assertConsistent(cluster)
})

afterAll(async () => {
  await cluster?.stop()
})

async function run(name: string): Promise<Pod> {
  const pod = await cluster.createPod(node, name)
  pods.push(pod)
  await pod.add()
  return pod
}

async function become(form: Form, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  node.configure({ policy_route: form })
  await node.restartDaemon(signal)
}

/** What the node has of each form: rules and routes for pods' addresses in words of iproute2, and marks. */
async function formsOn(): Promise<Readonly<Record<Form, readonly string[]>>> {
  const ips = pods.flatMap((pod) => pod.ips)
  const { rules, routes, nftables }: KernelState = await kernelState(node.netnsPath)
  const isPods = (line: string) => line.split(/[\s/]/).some((word) => ips.includes(word))
  const isInPodTable = (line: string) => / table 1000 /.test(line)
  return {
    map: [
      ...rules.filter((line) => /^512:.* lookup 1000$|^2048:.* fwmark /.test(line)),
      ...routes.filter(isInPodTable),
      ...nftables.filter((line) => ips.some((ip) => line.includes(ip))),
    ],
    rules: [...rules.filter(isPods), ...routes.filter((line) => isPods(line) && !isInPodTable(line))],
  }
}

test.each([
  { from: 'rules', to: 'map', signal: 'SIGTERM' },
  { from: 'map', to: 'rules', signal: 'SIGTERM' },
  { from: 'rules', to: 'map', signal: 'SIGKILL' },
  { from: 'map', to: 'rules', signal: 'SIGKILL' },
] as const)('running pods lose no packet on the way from $from to $to, by $signal', async ({ from, to, signal }) => {
  await become(from, signal)
  const all: Pod[] = []
  for (let i = 1; i <= PODS; i++) all.push(await run(`pod-${i}`))
  const before = await formsOn()
  expect(before[to]).toEqual([])
  expect(before[from]).not.toEqual([])

  const ways = [
    ...waysBetween(all),
    ...all.flatMap((pod) => [...waysFrom(pod, OUTSIDE), ...waysFrom(pod, far), ...waysFrom(far, pod)]),
    ...all.flatMap((pod) => [...waysFrom(pod, node), ...waysFrom(node, pod)]),
  ]
  const pinged = await pingWhile(ways, () => become(to, signal))
  expect(pinged).toEqual(ways.map(({ what }) => expect.objectContaining({ what, lost: 0 })))

  const after = await formsOn()
  expect(after[from]).toEqual([])
  expect(after[to]).not.toEqual([])
  expect((await node.verify()).differences).toEqual([])
  await assertConsistent(cluster)
  const late = await run('late')
  expect(await pingWhile(waysFrom(late, far), async () => undefined)).toMatchObject([{ lost: 0 }, { lost: 0 }])
})
