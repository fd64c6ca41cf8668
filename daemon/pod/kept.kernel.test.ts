/** Pods whose networks are watched over while a start, a change of the node or other programs go about theirs. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Netns } from '../../netlink/netns.ts'
import { ip } from '../../test/kernel/namespaces.ts'
import { ENI_KEY, ENI_MAC, PodsUnderTest } from '../../test/kernel/pods-under-test.ts'
import { Sweep } from './sweep.ts'

const PATIENCE = 5_000

let node: PodsUnderTest
let pod: Netns
let repairs: number

beforeEach(async () => {
  repairs = 0
  node = new PodsUnderTest('tw-kept-', 'shared', { onRepair: () => repairs++ })
  await node.start({ policyRoute: 'rules' })
  pod = node.namespaces.create('pod')
})

afterEach(() => node.end())

async function until(isTrue: () => boolean): Promise<void> {
  for (const end = Date.now() + PATIENCE; !isTrue(); await sleep(10)) {
    if (Date.now() > end) throw new Error('it does not become true')
  }
}

const podRoutes = () => ip(node.netns, 'route', 'show', 'table', '1000').trim()

describe('an ENI whose link has gone', () => {
  test('connects no pod, and does when it is back', async () => {
    // By itself: who watches over ENIs may tell of it earlier.
    await node.end()
    node = new PodsUnderTest('tw-kept-')
    await node.start()
    pod = node.namespaces.create('pod')
    ip(node.netns, 'link', 'delete', 'eth1')
    await expect(node.add({ netns: pod.path })).rejects.toMatchObject({ code: 11, reason: 'eni-gone' })
    expect([node.podLinks(), node.context.endpoints.all()]).toEqual([[], []])
    ip(node.netns, 'link', 'add', 'eth1', 'address', ENI_MAC, 'type', 'veth', 'peer', 'name', 'vpc')
    await node.add({ netns: pod.path })
    await node.check({ netns: pod.path })
  })

  test('gives no address any more, before a pod is put on it', async () => {
    ip(node.netns, 'link', 'delete', 'eth1')
    await until(() => node.pool.readyEni(ENI_KEY) === undefined)
  })
})

test('what others did between the start’s look at the pods and the watch over them is put back', async () => {
  await node.restart({ policyRoute: 'map' })
  await node.add({ netns: pod.path })
  const routes = podRoutes()
  expect(routes).not.toBe('')
  await node.stop()
  await node.start({}, () => void ip(node.netns, 'route', 'flush', 'table', '1000'))
  await until(() => podRoutes() === routes)
})

describe('a pod that follows its node', () => {
  beforeEach(async () => {
    await node.add({ netns: pod.path })
    await node.restart({ policyRoute: 'map' })
  })

  test('is watched over as it is while it cannot', async () => {
    const rules = node.rules()
    node.context.kernel.replace = () => Promise.reject(new Error('refused'))
    await new Sweep(node.context).run()
    expect(node.context.endpoints.all()[0]?.replaced).toBeDefined()
    ip(node.netns, 'rule', 'del', 'priority', '512', 'to', '10.9.0.1')
    await until(() => node.rules().length === rules.length)
    expect(node.rules()).toEqual(expect.arrayContaining(rules))
  })

  test('is watched over as it is to be when only the rest of the old cannot go', async () => {
    const { kernel } = node.context
    kernel.replace = async (_, to) => {
      kernel.apply(to)
      throw new Error('refused')
    }
    await new Sweep(node.context).run()
    const routes = podRoutes()
    expect(routes).not.toBe('')
    ip(node.netns, 'route', 'flush', 'table', '1000')
    await until(() => podRoutes() === routes)
  })

  test('is looked at when it has: nobody watched meanwhile', async () => {
    const { kernel } = node.context
    const replace = kernel.replace.bind(kernel)
    kernel.replace = async (from, to) => {
      await replace(from, to)
      ip(node.netns, 'route', 'flush', 'table', '1000')
    }
    await new Sweep(node.context).run()
    await until(() => repairs > 0)
    expect([podRoutes() === '', repairs]).toEqual([false, 1])
    await node.check({ netns: pod.path })
  })
})

test('a pod’s older sandbox that could not be removed is the reason to try again', async () => {
  await node.add({ netns: pod.path })
  const newer = node.namespaces.create('newer')
  const { kernel } = node.context
  const remove = kernel.remove.bind(kernel)
  kernel.remove = () => Promise.reject(new Error('busy'))
  const call = { containerId: 'c2', netns: newer.path }
  await expect(node.add(call)).rejects.toMatchObject({ code: 11, reason: 'older-sandbox' })
  kernel.remove = remove
  await node.add(call)
  await node.check(call)
})

test('a sweep leaves the rules of others, also about addresses of the vSwitch and of the node', async () => {
  for (const [priority, direction, address, table] of [
    ['512', 'to', '10.9.0.240', 'main'],
    ['2048', 'from', '10.9.0.240', '7777'],
    ['2048', 'from', '10.9.0.200', '7777'],
  ] as const) {
    ip(node.netns, 'rule', 'add', 'priority', priority, direction, address, 'lookup', table)
  }
  const rules = node.rules()
  expect(rules).toHaveLength(3)
  await new Sweep(node.context).run()
  expect(node.rules()).toEqual(rules)
})

test('another sandbox at the path of one that has ended gets nothing of its network', async () => {
  await node.add({ netns: pod.path })
  const [plan] = node.context.endpoints.all().flatMap((endpoint) => endpoint.plan ?? [])
  if (plan === undefined) throw new Error('the pod has no plan')
  node.namespaces.delete('pod')
  const next = node.namespaces.create('pod')
  await until(() => node.podLinks().length === 0)
  expect(() => node.context.kernel.repair(plan)).toThrow('another network namespace')
  const sweep = new Sweep(node.context)
  await sweep.run()
  await sweep.run()
  expect(ip(next, '-o', 'link')).not.toContain('eth0')
  expect(node.context.endpoints.all()).toEqual([])
  await node.add({ netns: next.path, containerId: 'next', pod: 'next' })
  await node.check({ netns: next.path, containerId: 'next' })
})
