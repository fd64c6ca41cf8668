/** Who is killed and started again, and what the pods notice of it: nothing. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { ping } from '../cluster/ping.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import { gone, startCluster, Testbed } from './testbed.ts'

describe('restarts', () => {
  let bed: Testbed

  beforeAll(async () => {
    bed = await Testbed.start()
  })

  afterEach(async () => {
    await assertConsistent(bed.cluster)
  })

  afterAll(async () => {
    await bed?.stop()
  })

  test.each(['SIGKILL', 'SIGTERM'] as const)('%s of the daemon costs the running pods no packet', async (signal) => {
    const { nodeA, nodeB } = bed
    const local = await bed.runtimeOf(nodeA).cri.run({ name: `local-${signal.toLowerCase()}` })
    const near = await bed.runtimeOf(nodeA).cri.run({ name: `near-${signal.toLowerCase()}` })
    const far = await bed.runtimeOf(nodeB).cri.run({ name: `far-${signal.toLowerCase()}` })
    let pinging = true
    const ways = [
      { from: local.netns, to: far.ip },
      { from: far.netns, to: local.ip },
      { from: local.netns, to: near.ip },
      { from: nodeA.netnsPath, to: local.ip },
    ]
    const pings = Promise.all(ways.map((way) => ping({ ...way, count: 600, interval: 10 }))).finally(() => {
      pinging = false
    })
    await sleep(300)
    await nodeA.killDaemon(signal)
    await sleep(300)
    nodeA.startDaemon()
    await nodeA.waitReady()
    await sleep(300)
    expect(pinging).toBe(true)
    expect(await pings).toEqual(ways.map(() => expect.objectContaining({ sent: 600, received: 600 })))

    const after = await bed.runtimeOf(nodeA).cri.run({ name: `after-${signal.toLowerCase()}` })
    expect(await ping({ from: after.netns, to: far.ip })).toMatchObject({ received: 5 })
  })

  test('containerd killed and started again knows its sandboxes and ends them properly', async () => {
    const { nodeA } = bed
    const runtime = bed.runtimeOf(nodeA)
    const sandbox = await runtime.cri.run({ name: 'survivor' })
    await runtime.kill('SIGKILL')
    expect(await ping({ from: sandbox.netns, to: bed.nodeB.primaryIp })).toMatchObject({ received: 5 })
    await runtime.start()
    expect(await runtime.cri.status(sandbox.id)).toEqual(sandbox)
    expect(await ping({ from: sandbox.netns, to: bed.nodeB.primaryIp })).toMatchObject({ received: 5 })
    const ips: string[] = []
    for (const { id } of await runtime.cri.list()) {
      ips.push((await runtime.cri.status(id)).ip)
      await runtime.cri.stop(id)
      await runtime.cri.remove(id)
    }
    await gone(nodeA, ips)
  })

  test('a sandbox stopped while the daemon is away is gone once the daemon is back', async () => {
    const { nodeA } = bed
    const { cri } = bed.runtimeOf(nodeA)
    const sandbox = await cri.run({ name: 'orphan' })
    await nodeA.killDaemon('SIGKILL')
    await cri.stop(sandbox.id)
    await cri.remove(sandbox.id)
    await expect(cri.run({ name: 'too-early' })).rejects.toThrow(/daemon-unreachable/)
    nodeA.startDaemon()
    await nodeA.waitReady()
    await gone(nodeA, [sandbox.ip])
    for (const { id } of await cri.list()) await cri.remove(id)
  })
})

describe('an ENI on record whose link is not there', () => {
  test('does not keep a daemon that starts from serving', async () => {
    const cluster = await startCluster()
    try {
      const node = cluster.node('node-a')
      await assertConsistent(cluster)
      const [eni] = (await node.show()).enis
      await node.killDaemon('SIGKILL')
      execFileSync('ip', ['-n', node.netns, 'link', 'delete', eni?.link ?? ''])
      node.startDaemon()
      await node.waitReady()
      expect(readFileSync(node.logFile, 'utf8')).toContain('an ENI on record has no link on this node')
      const pod = await cluster.createPod(node, 'elsewhere')
      await pod.add()
      expect(await ping({ from: pod.netnsPath, to: node.primaryIp })).toMatchObject({ lost: 0 })
      await pod.del()
    } finally {
      await cluster.stop()
    }
  })
})
