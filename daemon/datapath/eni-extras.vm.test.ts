/** What stands on a trunk for its pods, by Debian's kernel and its tc. */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { EniId } from '../../cloud/ids.ts'
import { PlanInterpreter } from '../../netlink/interpreter.ts'
import { getLink } from '../../netlink/link.ts'
import type { Netns } from '../../netlink/netns.ts'
import type { NetworkPlan } from '../../netlink/plan.ts'
import { NetlinkSocket } from '../../netlink/socket.ts'
import { ENI, HOST, MEMBER, POD } from '../../test/datapath/attachments.ts'
import { ip, run, TestNamespaces } from '../../test/kernel/namespaces.ts'
import type { ReadyEni } from '../pool/effects.ts'
import type { EniKey } from '../pool/model.ts'
import type { Attachment } from './attachment.ts'
import { NodeLinks } from './node-links.ts'

const PREFIX = 'tw-extras-'
const { ipv4: cidr } = ENI.cidrs
const gateway = ENI.gateways.ipv4 ?? HOST.addresses.ipv4
if (gateway === undefined) throw new Error('the ENI has no gateway')
const on = { link: ENI.link, ifindex: ENI.ifindex, cidr, gateway }
const TRUNK: ReadyEni = { ...on, key: 'trunk' as EniKey, id: ENI.id, mac: ENI.mac, role: 'trunk' }
const MEMBER_ENI: ReadyEni = { ...on, key: 'm' as EniKey, id: MEMBER.id, mac: MEMBER.mac, role: 'member', vlanId: 11 }

const tagged: Attachment = { ...POD, datapath: 'vlan-tag', eni: MEMBER }
const vlan: Attachment = { ...POD, containerId: 'c2', datapath: 'vlan', eni: { ...MEMBER, vlanId: 12 } }

let spaces: TestNamespaces
let node: Netns
let socket: NetlinkSocket
let kernel: PlanInterpreter
let onRecord: Attachment[]
let watched: Map<EniId, NetworkPlan>
let onWatch: () => void
let links: NodeLinks

beforeEach(() => {
  spaces = new TestNamespaces(PREFIX)
  node = spaces.create('node')
  ip(node, 'link', 'add', ENI.link, 'index', String(ENI.ifindex), 'address', ENI.mac, 'type', 'dummy')
  socket = NetlinkSocket.open({ netns: node })
  kernel = new PlanInterpreter({ hostNetns: node })
  onRecord = []
  watched = new Map()
  onWatch = () => undefined
  links = started()
  links.program(TRUNK)
})

afterEach(async () => {
  await kernel.close()
  socket.close()
  spaces[Symbol.dispose]()
})

/** As another start has it: without a memory of what the link has got. */
function started(): NodeLinks {
  const keeper = {
    watch: (eni: EniId, plan: NetworkPlan) => {
      watched.set(eni, plan)
      onWatch()
    },
    forget: (eni: EniId) => watched.delete(eni),
  }
  const host = { ...HOST, families: ['ipv4'] } as const
  return new NodeLinks({ socket, kernel, netns: node, host, mtu: 1500, attachments: () => onRecord, keeper })
}

/** Priorities of the filters there. */
function filtersAt(hook: 'ingress' | 'egress', link: string = ENI.link): number[] {
  const text = run(node, 'tc', 'filter', 'show', 'dev', link, hook)
  return [...text.matchAll(/pref (\d+) u32 .*fh \w+::/g)].map(([, priority]) => Number(priority))
}

test('tags are taken off a trunk as long as a pod has its packets tagged there, and VLANs get theirs again', async () => {
  onRecord = [tagged]
  await links.fit(tagged)
  expect(filtersAt('ingress')).toEqual([20_000])
  onRecord = []
  await links.fit(tagged)
  expect(filtersAt('ingress')).toEqual([])
  onRecord = [vlan]
  await links.fit(vlan)
  expect(filtersAt('ingress')).toEqual([])
})

test('they are watched with the trunk, whichever member has gone', async () => {
  const other: Attachment = { ...tagged, containerId: 'c3', eni: { ...MEMBER, id: 'eni-3' as EniId, vlanId: 13 } }
  onRecord = [tagged, other]
  for (const attachment of onRecord) await links.fit(attachment)
  onRecord = [other]
  await links.fit(tagged)
  await links.clear(MEMBER_ENI)
  expect([...watched.keys()]).toEqual([TRUNK.id])
  expect(watched.get(TRUNK.id)?.filters.map(({ priority }) => priority)).toEqual([20_000])
  onRecord = []
  await links.fit(other)
  expect([...watched].map(([id, { filters }]) => [id, filters])).toEqual([[TRUNK.id, []]])
})

test('what an earlier daemon has left for pods that have gone meanwhile goes, filters of others stay', async () => {
  const ipvlan: Attachment = { ...POD, datapath: 'ipvlan', eni: ENI }
  onRecord = [tagged, ipvlan]
  await links.fit(tagged)
  run(node, 'tc', 'filter', 'add', 'dev', ENI.link, 'egress', 'pref', '25000', 'u32', 'match', 'u32', '0', '0')
  expect([filtersAt('ingress'), filtersAt('egress')]).toEqual([[20_000], [25_000, 40_000]])
  onRecord = []
  const next = started()
  next.program(TRUNK)
  await next.fitAll()
  expect([filtersAt('ingress'), filtersAt('egress')]).toEqual([[], [25_000]])
  expect(ip(node, 'link')).not.toContain('ipvl_')
})

test('of a link that has gone nothing is asked, and its index is somebody else’s', async () => {
  onRecord = [tagged]
  await links.fit(tagged)
  onRecord = []
  ip(node, 'link', 'del', ENI.link)
  ip(node, 'link', 'add', 'other', 'index', String(ENI.ifindex), 'type', 'dummy')
  run(node, 'tc', 'qdisc', 'add', 'dev', 'other', 'clsact')
  run(
    node,
    'tc',
    'filter',
    'add',
    'dev',
    'other',
    'ingress',
    'pref',
    '20000',
    'u32',
    'match',
    'u32',
    '0',
    '0',
    'flowid',
    '1:1',
  )
  await links.fit(tagged)
  expect(filtersAt('ingress', 'other')).toEqual([20_000])
})

test('a pod that comes while the node’s slave goes gets one', async () => {
  const ipvlan: Attachment = { ...POD, datapath: 'ipvlan', eni: ENI }
  onRecord = [ipvlan]
  await links.fit(ipvlan)
  onRecord = []
  let coming: Promise<void> | undefined
  // Told of it when nothing has gone yet.
  onWatch = () => {
    onWatch = () => undefined
    onRecord = [{ ...ipvlan, containerId: 'c4' }]
    coming = links.fit(ipvlan)
  }
  await links.fit(ipvlan)
  await coming
  const slave = links.plan(TRUNK).links.find(({ kind }) => kind === 'ipvlan')
  expect(getLink(socket, slave?.ifindex ?? 0)).toMatchObject({ kind: 'ipvlan', up: true })
  expect(kernel.verify(links.plan(TRUNK))).toEqual([])
})
