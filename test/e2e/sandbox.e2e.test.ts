/** Sandboxes of a real containerd with the network of Terway. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { ping } from '../cluster/ping.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import type { Sandbox } from './cri.ts'
import { gone, runtimeNamespaces, Testbed } from './testbed.ts'

const COUNT = 30

describe('sandboxes of containerd', () => {
  let bed: Testbed

  beforeAll(async () => {
    bed = await Testbed.start()
  })

  afterEach(async () => {
    for (const node of bed.cluster.nodes) {
      const { cri } = bed.runtimeOf(node)
      for (const { id } of await cri.list()) await cri.remove(id)
    }
    await assertConsistent(bed.cluster)
  })

  afterAll(async () => {
    await bed?.stop()
  })

  const run = (node: 'nodeA' | 'nodeB', name: string) => bed.runtimeOf(bed[node]).cri.run({ name })

  test('come up and reach each other, on one node and across, and the nodes', async () => {
    const [one, two, far] = [await run('nodeA', 'one'), await run('nodeA', 'two'), await run('nodeB', 'far')]
    const { nodeA, nodeB } = bed
    const targets = [
      { from: one.netns, to: two.ip },
      { from: one.netns, to: far.ip },
      { from: far.netns, to: one.ip },
      { from: one.netns, to: nodeA.primaryIp },
      { from: one.netns, to: nodeB.primaryIp },
      { from: nodeA.netnsPath, to: one.ip },
      { from: nodeB.netnsPath, to: one.ip },
    ]
    const results = await Promise.all(targets.map((target) => ping({ ...target, count: 20 })))
    expect(results).toEqual(targets.map(() => expect.objectContaining({ sent: 20, received: 20 })))
  })

  test('leave nothing when they are stopped, stopped again and removed', async () => {
    const before = runtimeNamespaces()
    const { cri } = bed.runtimeOf(bed.nodeA)
    const sandbox = await run('nodeA', 'short-lived')
    expect(runtimeNamespaces()).toHaveLength(before.length + 1)
    await cri.stop(sandbox.id)
    await gone(bed.nodeA, [sandbox.ip])
    // containerd sends another DEL, with no namespace, each time.
    await cri.stop(sandbox.id)
    await cri.remove(sandbox.id)
    expect(await cri.list()).toEqual([])
    expect(runtimeNamespaces()).toEqual(before)
    await gone(bed.nodeA, [sandbox.ip])
  })

  test(`${COUNT} at once have distinct addresses of attached ENIs, and all answer`, async () => {
    const far = await run('nodeB', 'far')
    const names = Array.from({ length: COUNT }, (_, i) => `crowd-${i}`)
    const sandboxes: Sandbox[] = await Promise.all(names.map((name) => run('nodeA', name)))
    const ips = sandboxes.map(({ ip }) => ip)
    expect(new Set(ips).size).toBe(COUNT)
    const { enis } = await bed.nodeA.show()
    const assigned = enis
      .filter(({ phase }) => phase === 'in-use')
      .flatMap(({ addresses }) => addresses.map(({ ip }) => ip))
    expect(assigned).toEqual(expect.arrayContaining(ips))
    await assertConsistent(bed.cluster)

    const pings = sandboxes.flatMap(({ netns, ip }) => [
      ping({ from: netns, to: far.ip }),
      ping({ from: far.netns, to: ip }),
      ping({ from: netns, to: ips[0] ?? '' }),
    ])
    expect((await Promise.all(pings)).filter(({ lost }) => lost > 0)).toEqual([])

    const { cri } = bed.runtimeOf(bed.nodeA)
    await Promise.all(sandboxes.map(({ id }) => cri.stop(id)))
    await gone(bed.nodeA, ips)
  })

  test('a pod that comes back with a new sandbox gets a network while the older sandbox is still there', async () => {
    const { cri } = bed.runtimeOf(bed.nodeA)
    const older = await cri.run({ name: 'again', attempt: 0 })
    const newer = await cri.run({ name: 'again', attempt: 1 })
    await cri.stop(older.id)
    expect(await ping({ from: newer.netns, to: bed.nodeB.primaryIp })).toMatchObject({ received: 5 })
  })
})
