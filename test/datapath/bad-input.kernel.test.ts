/** What goes wrong while a pod is connected leaves nothing behind, and the ENI on the node. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Attachment, EniFacts } from '../../daemon/datapath/attachment.ts'
import { planEni } from '../../daemon/datapath/plan-eni.ts'
import { planHost } from '../../daemon/datapath/plan-host.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import type { NetworkPlan } from '../../netlink/plan.ts'
import { ip } from '../kernel/namespaces.ts'
import { OUTSIDE } from './node-network.ts'
import { NodeUnderTest, POD_A, POD_B } from './node-under-test.ts'
import { unanswered } from './reach.ts'
import { BOTH } from './scenario.ts'

let under: NodeUnderTest
let enis: readonly [EniFacts, EniFacts]

beforeEach(() => {
  under = new NodeUnderTest('tw-bad-', BOTH)
  enis = [under.network.addEni(1), under.network.addEni(2)]
  for (const { addresses } of [POD_A, POD_B]) under.network.assign(addresses, enis[0])
  under.kernel.apply(planHost(under.host))
})
afterEach(() => under[Symbol.asyncDispose]())

/** A namespace of a pod may stay deaf to routers. */
const objects = () => under.lines().filter((line) => !line.startsWith('pod sysctl'))

/** The error of `apply`, after which `remove` leaves everything as it was before; the ENI is home before that. */
async function failure(plan: NetworkPlan): Promise<unknown> {
  const homes = eniNames()
  const before = objects()
  let thrown: unknown
  try {
    under.kernel.apply(plan)
  } catch (error) {
    thrown = error
  }
  expect(eniNames()).toEqual(homes)
  await under.kernel.remove(plan)
  expect(objects()).toEqual(before)
  return thrown
}

const eniNames = () => ip(under.network.node, '-br', 'link').match(/^eth\d/gm)

const code = (code: string) => expect.objectContaining({ name: 'PlanError', code })

const exclusive = (change: Partial<Attachment> = {}): Attachment => ({
  ...POD_A,
  ...{ datapath: 'exclusive', hostPeer: true, eni: enis[0], mtu: 1500 },
  ...change,
})

/** A further interface with an ENI of its own. */
const further = (): Attachment =>
  exclusive({
    ...{ ifname: parseLinkName('net1'), hostLink: POD_B.hostLink, hostPeer: false, eni: enis[1] },
    ...{ indexes: POD_B.indexes, addresses: POD_B.addresses, defaultRoute: false, sourceRouting: true, bandwidth: {} },
  })

describe('an ENI of the pod alone', () => {
  test('that has vanished is named', async () => {
    ip(under.network.node, 'link', 'delete', 'eth1')
    expect(await failure(under.plan('a', exclusive()))).toEqual(code('eni-gone'))
  })

  test('the second of which has vanished: the first is brought home before the error is thrown', async () => {
    ip(under.network.node, 'link', 'delete', 'eth2')
    const plan = under.plan('a', exclusive({ sourceRouting: true }), further())
    expect(await failure(plan)).toEqual(code('eni-gone'))
  })

  test('goes nowhere when the pod has a link of its name', async () => {
    ip(under.pods.a, 'link', 'add', 'eth0', 'type', 'bridge')
    expect(await failure(under.plan('a', exclusive()))).toEqual(code('name-taken'))
  })

  test('comes home when the pod has a link with the name of the second veth', async () => {
    ip(under.pods.a, 'link', 'add', 'veth1', 'type', 'bridge')
    expect(await failure(under.plan('a', exclusive()))).toEqual(code('name-taken'))
  })

  test('comes home when a link of the pod has the index of the second veth', async () => {
    ip(under.pods.a, 'link', 'add', 'other', 'index', '2002', 'type', 'bridge')
    expect(await failure(under.plan('a', exclusive()))).toEqual(code('ifindex-taken'))
  })

  test('comes home when the device refuses the MTU', async () => {
    expect(await failure(under.plan('a', exclusive({ mtu: 100_000, hostPeer: false })))).toEqual(code('mtu'))
  })
})

describe('a shared ENI', () => {
  test('that has vanished is named', () => {
    ip(under.network.node, 'link', 'delete', 'eth1')
    expect(() => under.kernel.apply(planEni(enis[0], under.host))).toThrow(code('eni-gone'))
  })

  test('Q1: a link with the name of the pod’s is replaced in the same call', async () => {
    const before = objects()
    under.kernel.apply(planEni(enis[0], under.host))
    const shared = under.plan('a', { ...POD_A, eni: enis[0] })
    const stale = { ...POD_A, eni: enis[0], indexes: { link: 3001, peer: 3002, shaper: 3003 } }
    under.kernel.apply(under.plan('a', stale))
    under.kernel.apply(shared)
    under.network.settle()
    expect(under.kernel.verify(shared)).toEqual([])
    expect(unanswered(under.pods.a, OUTSIDE)).toEqual([])
    await under.kernel.remove(shared)
    await under.kernel.remove(planEni(enis[0], under.host))
    expect(objects().filter((line) => !/eth1/.test(line))).toEqual(before.filter((line) => !/eth1/.test(line)))
  })

  test('the pod has a link of the interface’s name: it is left alone, and nothing is left of the try', async () => {
    ip(under.pods.a, 'link', 'add', 'eth0', 'type', 'bridge')
    expect(await failure(under.plan('a', { ...POD_A, eni: enis[0] }))).toEqual(code('name-taken'))
  })
})

test('a pod that has vanished is named', async () => {
  const plan = { ...under.plan('a', exclusive()), podNetns: '/run/netns/tw-bad-nobody' }
  expect(await failure(plan)).toEqual(code('netns'))
})
