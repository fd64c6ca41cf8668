/** A network that asks for IPVlan on a kernel without it. What it does on one that has it: test/vm. */
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { supportsLinkKind } from '../../netlink/probe.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Node } from '../cluster/node.ts'
import { ping } from '../cluster/ping.ts'
import type { Pod } from '../cluster/pod.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import { gone, startCluster } from './testbed.ts'

const testWithout = supportsLinkKind('ipvlan') ? test.skip : test

let cluster: Cluster
let node: Node
let pod: Pod

beforeAll(async () => {
  cluster = await startCluster({ prefix: 'tw-no-ipvlan' })
  node = cluster.node('node-a')
  pod = await cluster.createPod(node, 'pod')
})

afterAll(async () => {
  await pod?.destroy()
  await cluster?.stop()
})

async function configure(virtualType: string): Promise<void> {
  writeFileSync(node.cniConfTemplate, JSON.stringify({ type: 'terway', eniip_virtual_type: virtualType }))
  await node.restartDaemon()
}

const status = () => node.cni('STATUS', { ...pod.call, extra: { cniVersion: '1.1.0' } })

testWithout('fails each ADD with the reason and a way out, and STATUS; with veth both succeed again', async () => {
  await configure('IPVlan')
  const refused = await node.cni('ADD', pod.call)
  const reason = /^kernel-unsupported: .*ipvlan/
  expect(refused).toMatchObject({ status: 1, error: { msg: expect.stringMatching(reason) } })
  expect(await status()).toMatchObject({
    error: { code: 50, msg: expect.stringMatching(reason), details: expect.stringContaining('eniip_virtual_type') },
  })
  await gone(node, [])
  await assertConsistent(cluster)

  await configure('veth')
  expect(await status()).toMatchObject({ status: 0 })
  await pod.add()
  expect(await ping({ from: pod.netnsPath, to: node.primaryIp })).toMatchObject({ lost: 0 })
  await pod.del()
  await gone(node, [pod.ip])
})
