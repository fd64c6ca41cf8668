/** What every VPC function puts on the wire, and how documented answers are read. */
import { expect, test } from '@jest/globals'
import { parseCidr } from '../../inet/address.ts'
import { ManualClock } from '../../test/credentials/clocks.ts'
import { type Scripted, ScriptedTransport } from '../../test/transport/scripted-transport.ts'
import { CloudError } from '../error.ts'
import {
  type InstanceId,
  parseCloudId,
  type RouteEntryId,
  type RouteTableId,
  type VpcId,
  type VSwitchId,
  type ZoneId,
} from '../ids.ts'
import { createVpc, type Vpc } from '../vpc.ts'

const vpcId = parseCloudId<VpcId>('vpc-1')
const zoneId = parseCloudId<ZoneId>('cn-sim-h')
const vSwitch = parseCloudId<VSwitchId>('vsw-1')
const routeTableId = parseCloudId<RouteTableId>('vtb-1')
const entryId = parseCloudId<RouteEntryId>('rte-1')
const table = { vpcId, routeTableId }
const cidr = parseCidr('172.20.1.0/24')
const cidr6 = parseCidr('fd00:1::/64')
const nextHop = { type: 'Instance', id: parseCloudId<InstanceId>('i-1') } as const
const page = { PageNumber: '1', PageSize: '50' }

type Row = readonly [what: string, action: string, parameters: Record<string, string>, call: (vpc: Vpc) => unknown]

const ROWS: Row[] = [
  [
    'vSwitches of a zone',
    'DescribeVSwitches',
    { VpcId: 'vpc-1', ZoneId: 'cn-sim-h', ...page },
    (vpc) => vpc.describeVSwitches({ vpcId, zoneId }),
  ],
  ['vSwitches of a VPC', 'DescribeVSwitches', { VpcId: 'vpc-1', ...page }, (vpc) => vpc.describeVSwitches({ vpcId })],
  ['a vSwitch', 'DescribeVSwitches', { VSwitchId: 'vsw-1', ...page }, (vpc) => vpc.describeVSwitch(vSwitch)],
  ['a VPC', 'DescribeVpcs', { VpcId: 'vpc-1', ...page }, (vpc) => vpc.describeVpc(vpcId)],
  [
    'route tables',
    'DescribeRouteTableList',
    { VpcId: 'vpc-1', RouteTableId: 'vtb-1', RouteTableType: 'Custom', ...page },
    (vpc) => vpc.describeRouteTables({ vpcId, routeTableId, type: 'Custom' }),
  ],
  [
    'routes: MaxResult without an s',
    'DescribeRouteEntryList',
    { RouteTableId: 'vtb-1', MaxResult: '100' },
    (vpc) => vpc.describeRouteEntries({ routeTableId }),
  ],
  [
    'routes by everything',
    'DescribeRouteEntryList',
    {
      ...{ RouteTableId: 'vtb-1', RouteEntryId: 'rte-1', DestinationCidrBlock: '172.20.1.0/24' },
      ...{ RouteEntryType: 'Custom', MaxResult: '100' },
    },
    (vpc) => vpc.describeRouteEntries({ routeTableId, id: entryId, cidr, type: 'Custom' }),
  ],
  [
    'routes made together',
    'CreateRouteEntries',
    {
      ...{ 'RouteEntries.1.RouteTableId': 'vtb-1', 'RouteEntries.1.DstCidrBlock': '172.20.1.0/24' },
      ...{ 'RouteEntries.1.NextHop': 'i-1', 'RouteEntries.1.NextHopType': 'Instance' },
      ...{ 'RouteEntries.1.Name': 'n', 'RouteEntries.1.Description': 'd' },
      ...{ 'RouteEntries.2.RouteTableId': 'vtb-1', 'RouteEntries.2.DstCidrBlock': 'fd00:1::/64' },
      ...{ 'RouteEntries.2.NextHop': 'i-1', 'RouteEntries.2.NextHopType': 'Instance' },
      'RouteEntries.2.IpVersion': '6',
    },
    (vpc) =>
      vpc.createRouteEntries(table, [
        { cidr, nextHop, name: 'n', description: 'd' },
        { cidr: cidr6, nextHop },
      ]),
  ],
  [
    'routes deleted together',
    'DeleteRouteEntries',
    {
      ...{ 'RouteEntries.1.RouteTableId': 'vtb-1', 'RouteEntries.1.DstCidrBlock': '172.20.1.0/24' },
      'RouteEntries.1.NextHop': 'i-1',
    },
    (vpc) => vpc.deleteRouteEntries(table, [{ cidr, nextHop }]),
  ],
  [
    'a route',
    'CreateRouteEntry',
    {
      ...{ RouteTableId: 'vtb-1', DestinationCidrBlock: '172.20.1.0/24', NextHopId: 'i-1', NextHopType: 'Instance' },
      ...{ RouteEntryName: 'n', Description: 'd', ClientToken: 't' },
    },
    (vpc) => vpc.createRouteEntry(table, { cidr, nextHop, name: 'n', description: 'd' }, 't'),
  ],
  ['a route deleted', 'DeleteRouteEntry', { RouteEntryId: 'rte-1' }, (vpc) => vpc.deleteRouteEntry(table, entryId)],
]

test.each(ROWS)('%s', async (_, action, parameters, call) => {
  const refused = new CloudError('no', { action, code: 'Forbidden.RAM' })
  const scripted = new ScriptedTransport([refused])
  await expect(call(createVpc(scripted.transport, { clock: new ManualClock() }))).rejects.toBe(refused)
  expect(scripted.sent).toEqual([[action, parameters]])
})

const ask = <T>(call: (vpc: Vpc) => Promise<T>, ...script: Scripted[]): Promise<T> =>
  call(createVpc(new ScriptedTransport(script).transport, { clock: new ManualClock() }))

/** Names and kinds as documented, with what the project has no use for. */
const VSWITCH = {
  ...{ VSwitchId: 'vsw-1', VpcId: 'vpc-1', ZoneId: 'cn-sim-h', CidrBlock: '10.0.1.0/24', Ipv6CidrBlock: '' },
  ...{ AvailableIpAddressCount: 250, Status: 'Available', OwnerId: 1_609_900_000_000_000, IsDefault: false },
  ...{ Tags: { Tag: [{ Key: 'a', Value: 'b' }] }, RouteTable: { RouteTableId: 'vtb-1', RouteTableType: 'System' } },
}

test('a vSwitch as documented', async () => {
  const listed = { VSwitches: { VSwitch: [VSWITCH, { ...VSWITCH, VSwitchId: 'vsw-2', Ipv6CidrBlock: 'fd00::/64' }] } }
  const found = await ask((vpc) => vpc.describeVSwitches({ vpcId }), { ...listed, TotalCount: 2 })
  const first = { id: 'vsw-1', vpcId: 'vpc-1', zoneId: 'cn-sim-h', cidr: '10.0.1.0/24', availableIps: 250 }
  expect(found).toStrictEqual([first, { ...first, id: 'vsw-2', ipv6Cidr: 'fd00::/64' }])
})

test('a vSwitch that does not exist: an error for one, missing among several', async () => {
  const none = { VSwitches: { VSwitch: [] }, TotalCount: 0 }
  await expect(ask((vpc) => vpc.describeVSwitch(vSwitch), none)).rejects.toMatchObject({
    ...{ code: 'InvalidVSwitchId.NotFound', kind: 'not-found' },
  })
  const other = parseCloudId<VSwitchId>('vsw-2')
  const one = { VSwitches: { VSwitch: [VSWITCH] }, TotalCount: 1 }
  const found = await ask((vpc) => vpc.describeVSwitches({ ids: [vSwitch, other] }), one, none)
  expect(found.map(({ id }) => id)).toEqual(['vsw-1'])
})

test('a VPC as documented', async () => {
  const raw = {
    ...{ VpcId: 'vpc-1', CidrBlock: '10.0.0.0/8', Ipv6CidrBlock: '', VRouterId: 'vrt-1', Status: 'Available' },
    ...{ SecondaryCidrBlocks: { SecondaryCidrBlock: ['192.168.0.0/16'] }, UserCidrs: { UserCidr: [] } },
    ...{ RouterTableIds: { RouterTableIds: ['vtb-1'] }, VSwitchIds: { VSwitchId: ['vsw-1'] }, OwnerId: 1 },
  }
  const body = { Vpcs: { Vpc: [raw] }, TotalCount: 1 }
  expect(await ask((vpc) => vpc.describeVpc(vpcId), body)).toStrictEqual({
    ...{ id: 'vpc-1', cidr: '10.0.0.0/8', secondaryCidrs: ['192.168.0.0/16'], userCidrs: [] },
    ...{ routeTableIds: ['vtb-1'], vSwitchIds: ['vsw-1'], routerId: 'vrt-1' },
  })
  expect(await ask((vpc) => vpc.describeVpc(vpcId), { Vpcs: {}, TotalCount: 0 })).toBeUndefined()
})

test('route tables as documented', async () => {
  const raw = {
    RouteTableId: 'vtb-1',
    RouteTableType: 'System',
    RouterId: 'vrt-1',
    RouterType: 'VRouter',
    VpcId: 'vpc-1',
  }
  const body = { RouterTableList: { RouterTableListType: [{ ...raw, VSwitchIds: { VSwitchId: [] } }] }, TotalCount: 1 }
  expect(await ask((vpc) => vpc.describeRouteTables({ vpcId }), body)).toStrictEqual([
    { id: 'vtb-1', type: 'System', vSwitchIds: [], vpcId: 'vpc-1', routerId: 'vrt-1' },
  ])
})

test('routes as documented: of all kinds, and of all statuses', async () => {
  const raw = (Status: string, hops: readonly string[] = ['i-1']) => ({
    ...{ RouteEntryId: `rte-${Status}`, DestinationCidrBlock: '172.20.1.0/24', Status, Type: 'Custom', Origin: '' },
    ...{ RouteEntryName: '', NextHops: { NextHop: hops.map((NextHopId) => ({ NextHopId, NextHopType: 'Instance' })) } },
  })
  const statuses = ['Available', 'Created', 'Pending', 'Creating', 'Modifying', 'Deleting']
  const RouteEntry = [...statuses.map((status) => raw(status)), raw('Local', ['']), raw('Ecmp', ['i-1', 'i-2'])]
  const found = await ask((vpc) => vpc.describeRouteEntries({ routeTableId }), { RouteEntrys: { RouteEntry } })
  expect(found[0]).toStrictEqual({
    ...{ id: 'rte-Available', cidr: '172.20.1.0/24', status: 'settled', type: 'Custom', name: '', nextHopIds: ['i-1'] },
  })
  const settled = ['settled', 'settled', 'changing', 'changing', 'changing', 'changing', 'settled', 'settled']
  expect(found.map(({ status }) => status)).toEqual(settled)
  expect(found.slice(-2).map(({ nextHopIds }) => nextHopIds)).toEqual([[], ['i-1', 'i-2']])
})
