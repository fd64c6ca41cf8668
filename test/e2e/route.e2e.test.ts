/** VPC route mode: each node has prefixes of its own, and the VPC leads them to it. No ENI but the nodes' own is used. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { cidrContains, parseCidr, parseIp } from '../../inet/address.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { compareStates, kernelState } from '../cluster/kernel-state.ts'
import type { Node } from '../cluster/node.ts'
import { ping } from '../cluster/ping.ts'
import type { Pod } from '../cluster/pod.ts'
import { regionText } from '../simulator/region.ts'
import { gone, startCluster } from './testbed.ts'

const REGION = regionText({
  vpc: { id: 'vpc-sim', cidr: '10.0.0.0/16', ipv6Cidr: '2001:db8:0:1a00::/56' },
  vSwitches: [
    { id: 'vsw-sim-h', zone: 'cn-sim-h', cidr: '10.0.1.0/24', ipv6Cidr: '2001:db8:0:1a01::/64' },
    { id: 'vsw-sim-i', zone: 'cn-sim-i', cidr: '10.0.2.0/24', ipv6Cidr: '2001:db8:0:1a02::/64' },
  ],
  nodes: [
    {
      ...{ name: 'node-a', instanceId: 'i-sim-a', instanceType: 'ecs.g7.xlarge', vSwitch: 'vsw-sim-h' },
      ...{ primaryIp: '10.0.1.10', primaryIpv6: '2001:db8:0:1a01::10' },
    },
    {
      ...{ name: 'node-b', instanceId: 'i-sim-b', instanceType: 'ecs.g7.xlarge', vSwitch: 'vsw-sim-i' },
      ...{ primaryIp: '10.0.2.10', primaryIpv6: '2001:db8:0:1a02::10' },
    },
  ],
})
const AUDIT = z.object({ calls: z.array(z.object({ action: z.string(), code: z.string() })) })

const STACKS = [
  { stack: 'ipv4', cidrs: ['172.20.1.0/24', '172.20.2.0/24'] },
  { stack: 'dual', cidrs: ['172.20.1.0/24,fd00:0:0:1::/64', '172.20.2.0/24,fd00:0:0:2::/64'] },
] as const

describe.each(STACKS)('$stack', ({ stack, cidrs: [ofA, ofB] }) => {
  let directory: string
  let cluster: Cluster
  let nodeA: Node
  let nodeB: Node

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'terway-route-'))
    const region = join(directory, 'region.yaml')
    writeFileSync(region, REGION)
    cluster = await startCluster({
      ...{ prefix: `tw-e2e-route-${stack}`, region },
      eniConf: { network_mode: 'VPC', ip_stack: stack, ip_cooldown_seconds: 30, service_cidr: '172.16.0.0/16' },
      nodeConf: { 'node-a': { pod_cidr: ofA }, 'node-b': { pod_cidr: ofB } },
    })
    nodeA = cluster.node('node-a')
    nodeB = cluster.node('node-b')
  })

  afterAll(async () => {
    await cluster?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  /** A pod of the node, with all its addresses. */
  async function run(node: Node, name: string): Promise<{ pod: Pod; ips: string[] }> {
    const pod = await cluster.createPod(node, name)
    const { result } = await pod.add()
    return { pod, ips: result?.ips.map(({ address }) => address.replace(/\/\d+$/, '')) ?? [] }
  }

  /** Lost packets, from each to each in each family. */
  async function lost(all: readonly { pod: Pod; ips: readonly string[] }[]): Promise<number> {
    const ways = all.flatMap((from) =>
      all.filter((to) => to !== from).flatMap(({ ips }) => ips.map((to) => ({ from: from.pod.netnsPath, to }))),
    )
    const answers = await Promise.all(ways.map((way) => ping(way)))
    return answers.reduce((sum, answer) => sum + answer.lost, 0)
  }

  async function remove(all: readonly { pod: Pod; ips: readonly string[] }[]): Promise<void> {
    for (const { pod } of all) await pod.del().then(() => pod.destroy())
    for (const node of [nodeA, nodeB]) {
      await gone(
        node,
        all.filter(({ pod }) => pod.node === node).flatMap(({ ips }) => ips),
      )
    }
  }

  async function calls(actions: RegExp): Promise<string[]> {
    const response = await fetch(`${cluster.simApi}/audit?limit=100000`)
    const { calls: all } = AUDIT.parse(await response.json())
    return all.filter(({ action }) => actions.test(action)).map(({ action, code }) => `${action} ${code}`)
  }

  test('pods have addresses of their node’s prefixes and reach each other, and nothing is left of them', async () => {
    const before = await Promise.all([nodeA, nodeB].map((node) => kernelState(node.netnsPath)))
    const pods = [await run(nodeA, 'a-1'), await run(nodeA, 'a-2'), await run(nodeB, 'b-1'), await run(nodeB, 'b-2')]
    for (const { pod, ips } of pods) {
      const own = (pod.node === nodeA ? ofA : ofB).split(',').map(parseCidr)
      expect(own.map((cidr) => ips.some((ip) => cidrContains(cidr, parseIp(ip))))).toEqual(own.map(() => true))
    }
    expect(await lost(pods)).toBe(0)
    // The node itself, of whose address pods must not be cut off.
    expect(await ping({ from: nodeA.netnsPath, to: pods[2]?.ips[0] ?? '' })).toMatchObject({ lost: 0 })
    expect((await nodeA.verify()).differences).toEqual([])

    await remove(pods)
    const after = await Promise.all([nodeA, nodeB].map((node) => kernelState(node.netnsPath)))
    expect(after.flatMap((state, index) => compareStates(before[index] ?? state, state))).toEqual([])
    expect(await calls(/^(?!Describe).*(NetworkInterface|Addresses)$/)).toEqual([])
  })

  test.each(['SIGKILL', 'SIGTERM'] as const)(
    '%s of the daemon changes nothing for pods, routes and cool-downs',
    async (signal) => {
      const name = signal.toLowerCase()
      const pods = [await run(nodeA, `${name}-a`), await run(nodeB, `${name}-b`)]
      const ended = await run(nodeA, `${name}-ended`)
      await ended.pod.del().then(() => ended.pod.destroy())
      const changes = await calls(/RouteEntr(y|ies)$/)
      const pings = ping({ from: pods[1]?.pod.netnsPath ?? '', to: pods[0]?.ips[0] ?? '', count: 300, interval: 10 })

      await nodeA.killDaemon(signal)
      nodeA.startDaemon()
      await nodeA.waitReady()
      expect(await pings).toMatchObject({ sent: 300, lost: 0 })
      const { endpoints, problems } = await nodeA.show()
      expect(endpoints.flatMap(({ ips }) => ips).sort()).toEqual([...(pods[0]?.ips ?? [])].sort())
      expect(problems).toEqual([])
      expect((await nodeA.verify()).differences).toEqual([])

      const next = await run(nodeA, `${name}-next`)
      const taken = [...(pods[0]?.ips ?? []), ...ended.ips]
      expect(next.ips.filter((ip) => taken.includes(ip))).toEqual([])
      expect(await lost([...pods, next])).toBe(0)
      // Looked at, and as it should be.
      expect(await calls(/RouteEntr(y|ies)$/)).toEqual(changes)
      await remove([...pods, next])
    },
  )
})

test('of two nodes with the same prefix one gives addresses, and the other says why it does not', async () => {
  const cluster = await startCluster({
    prefix: 'tw-e2e-route-same',
    eniConf: { network_mode: 'VPC', pod_cidr: '172.20.1.0/24' },
  })
  try {
    const shown = await Promise.all(cluster.nodes.map(async (node) => ({ node, shown: await node.show() })))
    const [loser, ...others] = shown.filter(({ shown: { problems } }) => problems.length > 0).map(({ node }) => node)
    const winner = cluster.nodes.find((node) => node !== loser)
    if (loser === undefined || winner === undefined) throw new Error('both nodes got the prefix')
    expect(others).toEqual([])
    const words = new RegExp(`vtb-sim leads 172\\.20\\.1\\.0/24 to ${winner.instanceId}`)
    expect((await loser.show()).problems).toEqual([expect.stringMatching(words)])

    const pods = await Promise.all([winner, loser].map((node) => cluster.createPod(node, 'pod')))
    const answers = await Promise.all(pods.map((pod) => pod.node.cni('ADD', pod.call)))
    expect(answers.map(({ error }) => error?.code)).toEqual([undefined, 11])
    expect(answers[1]?.error).toMatchObject({
      msg: expect.stringMatching(words),
      details: expect.stringContaining('another pod CIDR'),
    })
    for (const pod of pods) await pod.destroy()
  } finally {
    await cluster.stop()
  }
})
