/** ENIs with prefixes: pods get addresses of them, and the VPC carries their packets. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { cidrContains, parseCidr, parseIpv4 } from '../../inet/address.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { ping } from '../cluster/ping.ts'
import type { Pod } from '../cluster/pod.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import { gone, startCluster } from './testbed.ts'

/** A suite of its own may run beside the others. */
const PREFIX = 'tw-e2e-prefix'

let cluster: Cluster

beforeAll(async () => {
  cluster = await startCluster({ prefix: PREFIX, eniConf: { enable_ip_prefix: true } })
})

afterAll(async () => {
  await cluster?.stop()
})

test('pods of two nodes reach each other by addresses of prefixes, also after a restart', async () => {
  const [nodeA, nodeB] = [cluster.node('node-a'), cluster.node('node-b')]
  const pods: Pod[] = []
  for (const [i, node] of [nodeA, nodeA, nodeB, nodeB].entries()) {
    const pod = await cluster.createPod(node, `pod-${i}`)
    await pod.add()
    pods.push(pod)
  }
  for (const node of [nodeA, nodeB]) {
    const { enis, pool } = await node.show()
    const prefixes = enis.flatMap((eni) => eni.prefixes.map(({ cidr }) => parseCidr(cidr)))
    const ips = pods.filter((pod) => pod.node === node).map(({ ip }) => parseIpv4(ip))
    const others = ips.filter((ip) => !prefixes.some((prefix) => cidrContains(prefix, ip)))
    // The primary address of an ENI is given to a pod, too.
    expect(enis.map(({ primaryIp }) => primaryIp)).toEqual(expect.arrayContaining(others))
    expect(others.length).toBeLessThan(ips.length)
    expect(pool?.available).toBeGreaterThanOrEqual(5)
  }
  await assertConsistent(cluster)

  await nodeA.killDaemon('SIGKILL')
  nodeA.startDaemon()
  await nodeA.waitReady()
  const ways = pods.flatMap((from) =>
    pods.filter((to) => to !== from).map((to) => ({ from: from.netnsPath, to: to.ip })),
  )
  const answers = await Promise.all(ways.map((way) => ping(way)))
  expect(answers.map(({ lost }) => lost)).toEqual(ways.map(() => 0))
  await assertConsistent(cluster)

  for (const pod of pods) await pod.del().then(() => pod.destroy())
  await gone(
    nodeA,
    pods.filter((pod) => pod.node === nodeA).map(({ ip }) => ip),
  )
  await assertConsistent(cluster)
})
