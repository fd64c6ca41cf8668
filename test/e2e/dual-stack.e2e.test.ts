/** Pods with addresses of both families, and with IPv6 alone. */
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { familyOf, parseIp } from '../../inet/address.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { compareStates, kernelState } from '../cluster/kernel-state.ts'
import type { Node } from '../cluster/node.ts'
import { pingWhile, type Way, waysBetween } from '../cluster/pings.ts'
import type { Pod } from '../cluster/pod.ts'
import { check } from '../cluster/process.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import { gone, startCluster } from './testbed.ts'

const REGION = join(import.meta.dirname, '..', '..', 'conf', 'regions', 'dual-stack.yaml')

const lossless = (ways: readonly Way[]) => ways.map(({ what }) => expect.objectContaining({ what, lost: 0 }))

describe.each([
  { mode: 'ENIIP', stack: 'dual', families: ['ipv4', 'ipv6'] },
  { mode: 'ENIIP', stack: 'ipv6', families: ['ipv6'] },
  { mode: 'ENI', stack: 'dual', families: ['ipv4', 'ipv6'] },
])('network_mode $mode, ip_stack $stack', ({ mode, stack, families }) => {
  let cluster: Cluster
  let nodeA: Node
  let nodeB: Node
  let pods: Pod[] = []

  beforeAll(async () => {
    const prefix = `tw-${stack}-${mode.toLowerCase()}`
    cluster = await startCluster({ prefix, region: REGION, eniConf: { network_mode: mode, ip_stack: stack } })
    nodeA = cluster.node('node-a')
    nodeB = cluster.node('node-b')
    await assertConsistent(cluster)
  })

  afterEach(async () => {
    await removeAll()
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

  async function removeAll(): Promise<void> {
    const removed = pods
    pods = []
    for (const pod of removed) await pod.del().then(() => pod.destroy())
    for (const node of cluster.nodes) {
      await gone(
        node,
        removed.filter((pod) => pod.node === node).flatMap(({ ips }) => ips),
      )
    }
  }

  test('pods have an address of each family, reach each other and the nodes, and nothing is left of them', async () => {
    const before = await Promise.all(cluster.nodes.map(({ netnsPath }) => kernelState(netnsPath)))
    const all = [await run(nodeA, 'a-1'), await run(nodeA, 'a-2'), await run(nodeB, 'b-1')]
    expect(all.map(({ ips }) => ips.map((ip) => familyOf(parseIp(ip))))).toEqual(all.map(() => families))
    const ways = waysBetween([...all, ...cluster.nodes])
    expect(await pingWhile(ways, () => assertConsistent(cluster))).toEqual(lossless(ways))

    await removeAll()
    const after = await Promise.all(cluster.nodes.map(({ netnsPath }) => kernelState(netnsPath)))
    expect(after.flatMap((state, index) => compareStates(before[index] ?? state, state))).toEqual([])
  })

  test('SIGKILL of the daemon costs the running pods no packet', async () => {
    const all = [await run(nodeA, 'a-1'), await run(nodeA, 'a-2'), await run(nodeB, 'b-1')]
    const ways = waysBetween([...all, nodeB])
    expect(await pingWhile(ways, () => nodeA.restartDaemon('SIGKILL'))).toEqual(lossless(ways))
    expect((await nodeA.verify()).differences).toEqual([])
  })

  test('CHECK finds nothing wrong, and names what somebody removes in the pod', async () => {
    const pod = await run(nodeA, 'checked')
    const checked = () => nodeA.cni('CHECK', pod.call)
    expect(await checked()).toMatchObject({ status: 0 })
    for (const family of families) {
      await check(['ip', '-n', pod.netns, family === 'ipv4' ? '-4' : '-6', 'route', 'delete', 'default'])
    }
    const { status, error } = await checked()
    expect({ status, code: error?.code }).toEqual({ status: 1, code: 103 })
    const missing = [...(error?.msg ?? '').matchAll(/route default \((ipv[46])\) [^;]* in the pod is missing/g)]
    expect(missing.map(([, family]) => family)).toEqual(families)
  })
})
