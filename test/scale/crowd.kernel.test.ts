/** What must not grow with the pods of a node, and what must hold when many come, go or are cut off at once. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { PodSide } from '../../netlink/pod-side.ts'
import { ip, ipJson, run } from '../kernel/namespaces.ts'
import { CrowdedNode } from './crowded-node.ts'
import { DAMAGES, type Damage, prepare } from './damage.ts'
import { busiestTurn, NetlinkTraffic, type Traffic } from './netlink-traffic.ts'
import { WatchedNode } from './watched-node.ts'

const PODS = 250
const BURST = 100

/** Of an independent reader: rules, and what nf_tables has. */
function found({ node }: CrowdedNode) {
  const { nftables } = JSON.parse(run(node.netns, 'nft', '-j', 'list', 'ruleset')) as { nftables: object[] }
  const elements = nftables.flatMap((one) => ('map' in one ? elementsOf(one.map as NftMap) : []))
  return {
    rules: ip(node.netns, 'rule').trim().split('\n'),
    chainRules: nftables.filter((one) => 'rule' in one).length,
    marked: elements.length,
    routes: ipJson(node.netns, 'route', 'show', 'table', '1000').length,
  }
}

interface NftMap {
  readonly elem?: readonly unknown[]
}

const elementsOf = ({ elem = [] }: NftMap): readonly unknown[] => elem

/** What an ADD and a DEL of one more pod send. */
async function trafficOf(node: CrowdedNode, pod: number): Promise<readonly Traffic[]> {
  using traffic = new NetlinkTraffic()
  await node.add(pod)
  const add = traffic.take()
  await node.del(pod)
  await node.node.context.removals.settled()
  return [add, traffic.take()]
}

describe('with 250 pods on the node', () => {
  let node: CrowdedNode
  /** Of the second pod: the first one makes what all of them share. */
  let early: readonly Traffic[]
  let few: ReturnType<typeof found>

  beforeAll(async () => {
    node = await CrowdedNode.start({ prefix: 'tw-crowd-', room: PODS + 8 })
    await node.fill(0, 1)
    early = await trafficOf(node, 1)
    few = found(node)
    await node.fill(1, PODS)
  })

  afterAll(() => node[Symbol.asyncDispose]())

  test('ADD and DEL say to the kernel what they said when there was one, and read no list', async () => {
    const late = await trafficOf(node, PODS)
    expect(late).toEqual(early)
    expect(late.map(({ dumps }) => dumps)).toEqual([0, 0])
    expect(late.map(({ transactions }) => transactions)).toEqual([1, 1])
  })

  test('neither looks at another pod, and DEL does not enter the pod', async () => {
    const { endpoints } = node.node.context
    node.sandbox(PODS)
    const listed = jest.spyOn(endpoints, 'all')
    const opened = jest.spyOn(PodSide, 'openIfPresent')
    await node.add(PODS)
    await node.del(PODS)
    await node.node.context.removals.settled()
    const looks = [...listed.mock.calls, ...opened.mock.calls]
    for (const spy of [listed, opened]) spy.mockRestore()
    expect(looks).toEqual([])
    expect(endpoints.all()).toHaveLength(PODS)
  })

  test('a packet meets the rules that it met when there was one: pods are elements of a map and routes', () => {
    const many = found(node)
    expect([many.rules, many.chainRules]).toEqual([few.rules, few.chainRules])
    expect([few.marked, few.routes]).toEqual([1, 1])
    expect([many.marked, many.routes]).toEqual([PODS, PODS])
  })

  test('the comparison of all pods reads few lists of the node, and finds what one of them lacks', () => {
    const plans = node.node.context.endpoints.all().flatMap(({ plan }) => plan ?? [])
    const link = linkOf(node, '10.9.0.77')
    const [neighbour] = ipJson(node.node.netns, 'neighbour', 'show', '10.9.0.77', 'dev', link)
    ip(node.node.netns, 'neighbour', 'del', '10.9.0.77', 'dev', link)
    using traffic = new NetlinkTraffic()
    const differences = node.node.context.kernel.verifyAll(plans).flat()
    expect(traffic.take().dumpsOfOne).toBeLessThan(12)
    const mac = String(neighbour?.lladdr)
    const subject = `10.9.0.77 lladdr ${mac} dev ${link}`
    expect(differences).toEqual([{ netns: 'host', object: 'neighbour', subject, problem: 'missing' }])
    ip(node.node.netns, 'neighbour', 'add', '10.9.0.77', 'lladdr', mac, 'dev', link, 'nud', 'permanent')
  })

  test.each<Damage>(DAMAGES.map)('%s that all pods lose are put back', async (damage) => {
    using watched = new WatchedNode(node)
    const before = lines(node)
    const inflict = prepare(damage, node)
    const opened = jest.spyOn(PodSide, 'openIfPresent')
    const entered = jest.spyOn(PodSide, 'open')
    const repaired = watched.repaired(PODS)
    await inflict()
    expect(new Set((await repaired).map(({ outcome }) => outcome))).toEqual(new Set(['repaired']))
    const pods = [...opened.mock.results, ...entered.mock.results].filter(({ value }) => value !== undefined)
    for (const spy of [opened, entered]) spy.mockRestore()
    // What the node lost is put back without a look into the pods: that would cost ten times as much.
    expect(pods).toEqual([])
    expect(lines(node)).toEqual(before)
    expect(watched.differences()).toEqual([])
  })
})

/**
 * Each once, and in order: the kernel lists neighbours and links that were changed in another order, and begins its list
 * of IPv6 routes again when they change meanwhile, so that some are listed twice.
 */
function lines({ node }: CrowdedNode): readonly string[] {
  return [...new Set(node.traces().flatMap((text) => text.split('\n')))].toSorted()
}

function linkOf({ node }: CrowdedNode, address: string): string {
  const [route] = ipJson(node.netns, 'route', 'show', 'table', '1000', address)
  return String(route?.dev)
}

describe('100 pods at once', () => {
  let node: CrowdedNode
  let empty: readonly string[]
  const pods = Array.from({ length: BURST }, (_, i) => i)

  beforeAll(async () => {
    node = await CrowdedNode.start({ prefix: 'tw-burst-', room: BURST + 8 })
    for (const pod of pods) node.sandbox(pod)
    empty = node.node.traces()
  })

  afterAll(() => node[Symbol.asyncDispose]())

  test('all get a network with an address of their own, one in each turn of the event loop', async () => {
    using traffic = new NetlinkTraffic()
    const addresses: (string | undefined)[] = []
    const addAll = async () => {
      const answers = await Promise.all(pods.map((pod) => node.add(pod)))
      addresses.push(...answers.map(({ ips }) => ips[0]?.address))
    }
    const most = await busiestTurn(traffic, addAll)
    expect(new Set(addresses).size).toBe(BURST)
    expect(addresses).not.toContain(undefined)
    expect(node.node.podLinks()).toHaveLength(BURST)
    await Promise.all(pods.map((pod) => node.check(pod)))
    const [one] = await trafficOf(node, BURST)
    expect(most).toBeLessThanOrEqual(2 * (one?.requests ?? 0))
  })

  test('leave nothing, one in each turn, and their links go with a few requests', async () => {
    const [, one] = await trafficOf(node, BURST)
    using traffic = new NetlinkTraffic()
    const inPool = jest.spyOn(traffic, 'take')
    const most = await busiestTurn(traffic, async () => {
      await Promise.all(pods.map((pod) => node.del(pod)))
      await node.node.context.removals.settled()
    })
    const deletions = inPool.mock.results.reduce((sum, { value }) => sum + (value as Traffic).inPool, 0)
    expect(node.node.podLinks()).toEqual([])
    expect(node.node.traces()).toEqual(empty)
    expect(node.node.context.endpoints.all()).toEqual([])
    expect(most).toBeLessThanOrEqual(2 * (one?.requests ?? 0))
    expect(deletions).toBeLessThanOrEqual(BURST / 10)
  })
})
