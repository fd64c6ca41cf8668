/** The verbs with the real journal and the real kernel. */
import { readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseLinkName } from '../../inet/link-name.ts'
import { ip, ipJson, run } from '../../test/kernel/namespaces.ts'
import { type Call, ENI_KEY, ENI_MAC, PodsUnderTest, raw } from '../../test/kernel/pods-under-test.ts'
import { parseGc } from '../cni/invocation.ts'
import { Sweep } from './sweep.ts'
import { gc } from './verbs.ts'

let node: PodsUnderTest

beforeEach(async () => {
  node = new PodsUnderTest('tw-pods-')
  await node.start()
})

afterEach(() => node.end())

const addPod = (call: Partial<Call>, signal?: AbortSignal) => node.add(call, signal)
const delPod = (call: Partial<Call>) => node.del(call)

test('descriptors do not grow with ADD and DEL, nor with those that fail', async () => {
  const pod = node.namespaces.create('pod')
  const round = async (): Promise<void> => {
    await addPod({ netns: pod.path })
    await expect(addPod({ containerId: 'c2', pod: 'other', netns: '/run/netns/tw-pods-nothing' })).rejects.toThrow()
    await delPod({})
    await node.context.removals.settled()
  }
  await round()
  const count = () => readdirSync('/proc/self/fd').length
  const before = count()
  for (let i = 0; i < 30; i++) await round()
  expect(count()).toBe(before)
})

describe('a second ADD', () => {
  test('of a live endpoint is refused', async () => {
    const pod = node.namespaces.create('pod')
    await addPod({ netns: pod.path })
    await expect(addPod({ netns: pod.path })).rejects.toMatchObject({ code: 101, reason: 'endpoint-exists' })
  })

  test('straight after DEL succeeds, although the link may still be on its way out', async () => {
    const pod = node.namespaces.create('pod')
    for (let i = 0; i < 5; i++) {
      await addPod({ netns: pod.path })
      await delPod({})
    }
    await addPod({ netns: pod.path })
    expect(node.podLinks()).toHaveLength(1)
  })

  test('for a pod whose older sandbox lives replaces it', async () => {
    const [older, newer] = [node.namespaces.create('older'), node.namespaces.create('newer')]
    await addPod({ netns: older.path })
    await addPod({ containerId: 'c2', netns: newer.path })
    expect(node.podLinks()).toHaveLength(1)
    expect(ipJson(older, 'link').map(({ ifname }) => ifname)).toEqual(['lo'])
    await delPod({})
    await node.context.removals.settled()
    expect(node.context.endpoints.all().map(({ containerId }) => containerId)).toEqual(['c2'])
  })

  test('that cannot succeed leaves the older sandbox alone', async () => {
    const pod = node.namespaces.create('pod')
    await addPod({ netns: pod.path })
    const failing = addPod({ containerId: 'c2', netns: '/run/netns/tw-pods-nothing' })
    await expect(failing).rejects.toMatchObject({ code: 3, reason: 'netns-vanished' })
    await node.check({ netns: pod.path })
  })

  test('whose link name another pod has is refused, and that pod keeps it', async () => {
    const [first, second] = [node.namespaces.create('first'), node.namespaces.create('second')]
    await addPod({ netns: first.path, pod: 'webnet1' })
    const clash = addPod({ containerId: 'c2', netns: second.path, ifname: 'net1', pod: 'web' })
    await expect(clash).rejects.toMatchObject({ code: 101, reason: 'link-name-taken' })
    await node.check({ netns: first.path, pod: 'webnet1' })
  })

  test('with another interface name gives an address of its own and no second default route', async () => {
    const pod = node.namespaces.create('pod')
    const one = await addPod({ netns: pod.path })
    const two = await addPod({ netns: pod.path, ifname: 'eth1' })
    expect(two.ips[0]?.address).not.toBe(one.ips[0]?.address)
    expect([one.routes.length, two.routes.length]).toEqual([1, 0])
    expect(ipJson(pod, 'route', 'show', 'default')).toHaveLength(1)
  })
})

test('an ADD whose plugin is gone leaves nothing', async () => {
  const before = node.traces()
  const pod = node.namespaces.create('pod')
  const gone = AbortSignal.abort(new Error('gone'))
  await expect(addPod({ netns: pod.path }, gone)).rejects.toMatchObject({ code: 11, reason: 'cancelled' })
  expect([node.podLinks(), node.traces(), node.context.endpoints.all()]).toEqual([[], before, []])
})

test('a namespace that cannot be looked at is not called vanished', async () => {
  const loop = join(node.directory, 'loop')
  symlinkSync(loop, loop)
  await expect(addPod({ netns: loop })).rejects.toMatchObject({ code: 102, reason: 'kernel-refused' })
  await expect(addPod({ netns: join(node.directory, 'journal.db') })).rejects.toMatchObject({ code: 4 })
})

test('GC removes what is not listed, of its own network only', async () => {
  const [ours, theirs] = [node.namespaces.create('ours'), node.namespaces.create('theirs')]
  await addPod({ netns: ours.path })
  await addPod({ containerId: 'c2', netns: theirs.path, pod: 'other', conf: { name: 'second' } })
  await gc(node.context, parseGc(raw({ conf: { 'cni.dev/valid-attachments': [] } })))
  expect(node.context.endpoints.all().map(({ containerId }) => containerId)).toEqual(['c2'])
  await node.check({ containerId: 'c2', netns: theirs.path })
})

describe('pods that ended without a DEL', () => {
  test('are found by two looks in a row', async () => {
    const before = node.traces()
    const pod = node.namespaces.create('pod')
    await addPod({ netns: pod.path })
    const sweep = new Sweep(node.context)
    await sweep.run()
    expect(node.context.endpoints.all()).toHaveLength(1)
    node.namespaces.delete('pod')
    while (node.podLinks().length > 0) await new Promise((resolve) => setTimeout(resolve, 10))
    await sweep.run()
    expect(node.context.endpoints.all()).toHaveLength(1)
    await sweep.run()
    expect([node.context.endpoints.all(), node.traces()]).toEqual([[], before])
  })

  test('and those whose namespace is only hidden keep their network over a restart', async () => {
    const pod = node.namespaces.create('pod')
    await addPod({ netns: pod.path })
    const endpoint = node.context.endpoints.all()[0]
    if (endpoint === undefined) throw new Error('no endpoint')
    node.context.endpoints.put({ ...endpoint, netns: '/run/netns/tw-pods-hidden' })
    await node.stop()
    await node.start()
    expect(node.context.endpoints.all()).toHaveLength(1)
    expect(node.podLinks()).toHaveLength(1)
  })

  test('so do those that have no link on the node', async () => {
    await node.end()
    node = new PodsUnderTest('tw-pods-', 'exclusive')
    await node.start()
    const pod = node.namespaces.create('pod')
    await addPod({ netns: pod.path, conf: { disable_host_peer: true } })
    const endpoint = node.context.endpoints.all()[0]
    if (endpoint === undefined) throw new Error('no endpoint')
    node.context.endpoints.put({ ...endpoint, netns: join(node.directory, 'hidden') })
    await node.restart()
    const sweep = new Sweep(node.context)
    for (let look = 0; look < 2; look++) await sweep.run()
    expect([node.podLinks(), node.context.endpoints.all().length]).toEqual([[], 1])
    expect([...node.context.leases.held()].map(({ ip: held }) => held)).toEqual([endpoint.ip])
    expect(ipJson(pod, 'link', 'show', 'eth0')[0]).toMatchObject({ address: ENI_MAC })
  })

  test('one of these is removed by the second look of a sweep, not at a start', async () => {
    await node.end()
    node = new PodsUnderTest('tw-pods-', 'exclusive')
    await node.start()
    const pod = node.namespaces.create('pod')
    await addPod({ netns: pod.path, conf: { disable_host_peer: true } })
    node.namespaces.delete('pod')
    await node.restart()
    const sweep = new Sweep(node.context)
    expect((await sweep.run()).findings.map(({ kind }) => kind)).toEqual(['suspected'])
    expect((await sweep.run()).findings.map(({ kind }) => kind)).toEqual(['removed'])
    expect(node.context.endpoints.all()).toEqual([])
  })
})

test('a restart repairs what the kernel lost and removes rules of pods that nobody knows', async () => {
  const pod = node.namespaces.create('pod')
  await addPod({ netns: pod.path })
  const rules = node.rules()
  await node.stop()
  ip(node.netns, 'rule', 'del', 'priority', '2048')
  ip(node.netns, 'rule', 'add', 'from', '10.9.0.7', 'lookup', '1099', 'priority', '2048')
  ip(node.netns, 'rule', 'add', 'to', '10.9.0.7', 'lookup', 'main', 'priority', '512')
  await node.start()
  await new Sweep(node.context).run()
  expect(node.rules()).toEqual(rules)
  await node.check({ netns: pod.path })
})

test('Q6: filters that an earlier daemon has left on an ENI go with the first sweep, those of others stay', async () => {
  run(node.netns, 'tc', 'qdisc', 'add', 'dev', 'eth1', 'clsact')
  const add = (hook: string, priority: number) =>
    run(node.netns, ...`tc filter add dev eth1 ${hook} pref ${priority} u32 match u32 0 0 flowid 1:1`.split(' '))
  // Behind `::` is the number of a filter; what has none is an empty table of the classifier.
  const left = () =>
    ['ingress', 'egress'].flatMap((hook) => {
      const text = run(node.netns, 'tc', 'filter', 'show', 'dev', 'eth1', hook)
      return [...text.matchAll(/pref (\d+) u32 .*fh \w+::/g)].map(([, priority]) => Number(priority))
    })
  add('ingress', 25_000)
  add('egress', 25_001)
  add('ingress', 20_000)
  for (const priority of [40_000, 40_001]) add('egress', priority)
  expect(left()).toEqual([20_000, 25_000, 25_001, 40_000, 40_001])
  await new Sweep(node.context).run()
  expect(left()).toEqual([25_000, 25_001])
})

test('a pod follows its ENI to another link', async () => {
  const pod = node.namespaces.create('pod')
  await addPod({ netns: pod.path })
  await node.stop()
  ip(node.netns, 'link', 'del', 'eth1')
  ip(node.netns, 'link', 'add', 'eth9', 'type', 'veth', 'peer', 'name', 'vpc9')
  ip(node.netns, 'link', 'set', 'eth9', 'address', ENI_MAC)
  await node.start()
  await new Sweep(node.context).run()
  const ifindex = Number(ipJson(node.netns, 'link', 'show', 'eth9')[0]?.ifindex)
  expect(node.rules().join()).toContain(`lookup ${1000 + ifindex}`)
  expect(node.rules()).toHaveLength(2)
  expect(parseLinkName('eth9')).toBe(node.pool.readyEni(ENI_KEY)?.link)
})
