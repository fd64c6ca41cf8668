import { describe, expect, test } from '@jest/globals'
import { type Query, ROUTE_LATENCY, vpcGateway } from '../../test/simulator/vpc-gateway.ts'
import { VPC } from './action.ts'

const TABLE = { RouteTableId: 'vtb-sim' }
const TO_A = { ...TABLE, DestinationCidrBlock: '172.16.0.0/24', NextHopId: 'i-sim-a' }
/** Items of a batch, as its parameters. */
function batch(...items: Query[]): Query {
  const fields = items.flatMap((item, i) =>
    Object.entries(item).map(([name, value]) => [`RouteEntries.${i + 1}.${name}`, value] as const),
  )
  return Object.fromEntries(fields)
}

/** With an entry to 172.16.0.0/24 on node-a and one to 172.16.1.0/24 on node-b's primary ENI. */
async function withRoutes() {
  const gateway = vpcGateway()
  const item = { ...TABLE, DstCidrBlock: '172.16.0.0/24', NextHop: 'i-sim-a', NextHopType: 'Instance' }
  const toEni = { DstCidrBlock: '172.16.1.0/24', NextHop: 'eni-sim00000002', NextHopType: 'NetworkInterface' }
  await gateway.call(VPC, 'CreateRouteEntries', batch(item, { ...item, ...toEni, Name: 'b', Description: 'to b' }))
  gateway.pass(ROUTE_LATENCY)
  return gateway
}

test('CreateRouteEntry answers with the id; the entry is Creating, then Available', async () => {
  const { call, pass, cloud } = vpcGateway()
  const { body } = await call(VPC, 'CreateRouteEntry', { ...TO_A, RouteEntryName: 'a', Description: 'pods of a' })
  expect(body).toEqual({ RequestId: expect.any(String), RouteEntryId: 'rte-sim00000001' })
  const shown = async () => (await call(VPC, 'DescribeRouteEntryList', { ...TABLE, RouteEntryType: 'Custom' })).body
  const entry = {
    RouteEntryId: 'rte-sim00000001',
    RouteEntryName: 'a',
    RouteTableId: 'vtb-sim',
    DestinationCidrBlock: '172.16.0.0/24',
    IpVersion: 'IPv4',
    Status: 'Creating',
    Type: 'Custom',
    Description: 'pods of a',
    Origin: 'CustomCreate',
    ServiceType: '',
    GmtModified: '2026-01-01T00:00:00Z',
    NextHops: { NextHop: [{ NextHopId: 'i-sim-a', NextHopType: 'Instance', NextHopRelatedInfo: {} }] },
  }
  const list = { RequestId: expect.any(String), NextToken: '', TotalCount: 1 }
  expect(await shown()).toEqual({ ...list, RouteEntrys: { RouteEntry: [entry] } })
  const { version } = cloud
  pass(ROUTE_LATENCY)
  expect(cloud.version).toBeGreaterThan(version)
  expect(await shown()).toEqual({ ...list, RouteEntrys: { RouteEntry: [{ ...entry, Status: 'Available' }] } })
})

test('every table begins with the vSwitches and the services of the cloud', async () => {
  const { call } = vpcGateway()
  for (const RouteTableId of ['vtb-sim', 'vtb-i']) {
    const { body } = await call(VPC, 'DescribeRouteEntryList', { RouteTableId })
    const text = JSON.stringify(body)
    expect([...text.matchAll(/"DestinationCidrBlock":"([^"]+)"/g)].map(([, to]) => to)).toEqual([
      '10.0.1.0/24',
      'fd00:0:0:101::/64',
      '10.0.2.0/24',
      '100.64.0.0/10',
    ])
    expect([...text.matchAll(/"NextHopType":"([^"]+)"/g)].map(([, type]) => type)).toEqual([
      'local',
      'local',
      'local',
      'service',
    ])
    expect(text).not.toContain('"Custom"')
  }
})

describe('filters of DescribeRouteEntryList', () => {
  test.each<[Query, unknown]>([
    [{}, 6],
    [{ RouteEntryType: 'System' }, 4],
    [{ RouteEntryType: 'BGP' }, 0],
    [{ RouteEntryType: 'custom' }, 'IllegalParam.RouteEntryType'],
    [{ IpVersion: 'IPv6' }, 1],
    [{ IpVersion: '4' }, 'IllegalParam.IpVersion'],
    [{ RouteEntryId: 'rte-sim00000002' }, 1],
    [{ RouteEntryName: 'b' }, 1],
    [{ NextHopId: 'i-sim-a' }, 1],
    [{ NextHopType: 'NetworkInterface' }, 1],
    [{ NextHopType: 'Instance', NextHopId: 'i-sim-b' }, 0],
    [{ DestinationCidrBlock: '172.16.1.0/24' }, 1],
    [{ DestinationCidrBlock: '172.16.1.0' }, 0],
    [{ DestinationCidrBlock: '172.16.1.0/33' }, 'InvalidCidrBlock.Malformed'],
    [{ 'DestCidrBlockList.1': '172.16.0.0/24', 'DestCidrBlockList.2': '10.0.1.0/24' }, 2],
    [{ ServiceType: 'TR' }, 0],
    [{ RouteTableId: 'vtb-i' }, 4],
    [{ RouteTableId: 'vtb-x' }, 'InvalidRouteTableId.NotFound'],
    [{ RouteTableId: '' }, 'MissingParameter'],
    [{ RegionId: '' }, 'MissingParameter'],
    [{ MaxResult: '0' }, 'InvalidParameter'],
    [{ MaxResult: '101' }, 'InvalidParameter'],
  ])('%j: %s', async (query, expected) => {
    const { call } = await withRoutes()
    const { body } = await call(VPC, 'DescribeRouteEntryList', { ...TABLE, ...query })
    expect(body.Code ?? body.TotalCount).toBe(expected)
  })

  test('pages', async () => {
    const { call } = await withRoutes()
    const seen: unknown[] = []
    for (let NextToken = '', pages = 0; pages < 3; pages++) {
      const { body } = await call(VPC, 'DescribeRouteEntryList', { ...TABLE, MaxResult: '2', NextToken })
      seen.push(...[...JSON.stringify(body).matchAll(/"RouteEntryId":"([^"]+)"/g)].map(([, id]) => id))
      NextToken = String(body.NextToken)
      expect(NextToken === '').toBe(pages === 2)
    }
    expect(new Set(seen).size).toBe(6)
  })
})

describe('what CreateRouteEntry takes', () => {
  test.each<[string, Query, string]>([
    ['a bare address', { DestinationCidrBlock: '172.16.9.9' }, '172.16.9.9/32'],
    ['everything', { DestinationCidrBlock: '0.0.0.0/0' }, '0.0.0.0/0'],
    ['what holds a vSwitch', { DestinationCidrBlock: '10.0.0.0/16' }, '10.0.0.0/16'],
    ['IPv6', { DestinationCidrBlock: 'FD00:1::/64' }, 'fd00:1::/64'],
    ['an IPv6 address', { DestinationCidrBlock: 'fd00:1::1' }, 'fd00:1::1/128'],
    ['an ENI', { NextHopType: 'NetworkInterface', NextHopId: 'eni-sim00000001' }, '172.16.0.0/24'],
    ['a custom table', { RouteTableId: 'vtb-i' }, '172.16.0.0/24'],
    ['no region', { RegionId: undefined }, '172.16.0.0/24'],
  ])('%s', async (_, query, destination) => {
    const { call, cloud } = vpcGateway()
    expect((await call(VPC, 'CreateRouteEntry', { ...TO_A, ...query })).status).toBe(200)
    expect(cloud.routes.entries().map((entry) => entry.destination)).toEqual([destination])
  })
})

describe('refusals of single changes have their codes and change nothing', () => {
  const without = (name: string): Query => Object.fromEntries(Object.entries(TO_A).filter(([key]) => key !== name))
  const create = 'CreateRouteEntry'
  const remove = 'DeleteRouteEntry'
  const malformed = 'InvalidCidrBlock.Malformed'
  const hopIsGone = 'InvalidNextHop.NotFound'
  const onPrimary = 'OperationUnsupported.Ipv6EntryOnPrimaryNetworkInterface'
  const inIpv6 = 'OperationUnsupported.DestinationCidrBlockOverlapWithVSwitch'
  const exclusive = 'ParamExclusive.RouteEntryIdAndRouteTableIdOrDestCidrBlock'
  const FIRST = { RouteEntryId: 'rte-sim00000001' }
  const eni = (NextHopId: string): Query => ({ ...TO_A, NextHopType: 'NetworkInterface', NextHopId })
  test.each<[string, Query, string, number]>([
    [create, without('RouteTableId'), 'MissingParameter', 400],
    [create, without('DestinationCidrBlock'), 'MissingParameter', 400],
    [create, without('NextHopId'), 'InvalidNexthopTypeAndList.BothNull', 400],
    [create, { ...without('NextHopId'), NextHopType: 'Instance' }, 'MissingParameter', 400],
    [create, { ...TO_A, RegionId: 'cn-x' }, 'InvalidRegionId.NotFound', 404],
    [create, { ...TO_A, RouteTableId: 'vtb-x' }, 'InvalidRouteTableId.NotFound', 404],
    [create, { ...TO_A, DestinationCidrBlock: '172.16.0.1/24' }, malformed, 400],
    [create, { ...TO_A, DestinationCidrBlock: '172.16.0.0/33' }, malformed, 400],
    [create, { ...TO_A, DestinationCidrBlock: '172.16.0.0/' }, malformed, 400],
    [create, { ...TO_A, DestinationCidrBlock: 'all' }, malformed, 400],
    [create, { ...TO_A, DestinationCidrBlock: '10.0.1.0/24' }, 'InvalidCidrBlock', 400],
    [create, { ...TO_A, DestinationCidrBlock: '10.0.2.128/25' }, 'InvalidCidrBlock', 400],
    [create, { ...TO_A, DestinationCidrBlock: '10.0.2.5' }, 'InvalidCidrBlock', 400],
    [create, { ...TO_A, DestinationCidrBlock: '100.64.0.0/10' }, 'InvalidCidrBlock', 400],
    [create, { ...TO_A, DestinationCidrBlock: '100.100.100.200/32' }, 'InvalidCidrBlock', 400],
    [create, { ...TO_A, DestinationCidrBlock: 'fd00:0:0:101::/80' }, inIpv6, 400],
    [create, { ...eni('eni-sim00000001'), DestinationCidrBlock: 'fd00:1::/64' }, onPrimary, 400],
    [create, TO_A, 'InvalidCIDRBlock.Duplicate', 400],
    [create, { ...TO_A, DestinationCidrBlock: '172.16.9.0/24', NextHopId: 'i-x' }, hopIsGone, 400],
    [create, { ...eni('eni-x'), DestinationCidrBlock: '172.16.9.0/24' }, hopIsGone, 400],
    [create, { ...TO_A, NextHopType: 'HaVip' }, 'UnsupportedParameter', 400],
    [create, { ...TO_A, NextHopType: 'instance' }, 'InvalidNextHopType', 400],
    [create, { ...TO_A, 'NextHopList.1.NextHopId': 'ri-1' }, 'UnsupportedParameter', 400],
    [create, { ...TO_A, RouteEntryName: 'https://x' }, 'InvalidParameter', 400],
    [create, { ...TO_A, Description: 'x'.repeat(257) }, 'InvalidParameter', 400],
    [create, { ...TO_A, DryRun: 'true' }, 'InvalidCIDRBlock.Duplicate', 400],
    [create, { ...TO_A, DestinationCidrBlock: '172.16.9.0/24', DryRun: 'true' }, 'DryRunOperation', 400],
    [create, { ...TO_A, DryRun: 'yes' }, 'InvalidParameter', 400],
    [remove, {}, 'MissingParameter', 400],
    [remove, without('NextHopId'), 'MissingParameter', 400],
    [remove, { ...FIRST, ...TABLE }, exclusive, 400],
    [remove, { RouteEntryId: 'rte-x' }, 'InvalidRouteEntryId.NotFound', 400],
    [remove, { ...FIRST, NextHopId: 'i-sim-b' }, 'InvalidRouteEntryId.NotFound', 400],
    [remove, { ...TO_A, NextHopId: 'i-sim-b' }, 'InvalidRouteEntry.NotFound', 400],
    [remove, { ...TO_A, RouteTableId: 'vtb-i' }, 'InvalidRouteEntry.NotFound', 400],
    [remove, { ...TO_A, RouteTableId: 'vtb-x' }, 'InvalidRouteTableId.NotFound', 404],
    [remove, { ...TO_A, DestinationCidrBlock: '10.0.1.0/24' }, 'OperationDenied', 400],
    [remove, { RouteEntryId: 'rte-system-sim-0000' }, 'OperationDenied', 400],
    [remove, { ...FIRST, DryRun: 'true' }, 'DryRunOperation', 400],
  ])('%s %j: %s', async (action, query, code, status) => {
    const { call, cloud } = await withRoutes()
    const before = cloud.routes.entries()
    expect(await call(VPC, action, query)).toMatchObject({ status, body: { Code: code } })
    expect(cloud.routes.entries()).toEqual(before)
  })
})

test('a VPC without IPv6 has no IPv6 entries', async () => {
  const vSwitch = { id: 'vsw-sim-h', zone: 'cn-sim-h', cidr: '10.0.1.0/24' }
  const other = { id: 'vsw-sim-i', zone: 'cn-sim-i', cidr: '10.0.2.0/24' }
  const { call } = vpcGateway({ vpc: { id: 'vpc-sim', cidr: '10.0.0.0/16' }, vSwitches: [vSwitch, other] })
  const { body } = await call(VPC, 'CreateRouteEntry', { ...TO_A, DestinationCidrBlock: 'fd00:1::/64' })
  expect(body.Code).toBe('OperationDenied.VpcIpv6NotEnabled')
})

describe('changes while another one is running', () => {
  test.each<[string, Query]>([
    ['CreateRouteEntry', { ...TO_A, DestinationCidrBlock: '172.16.9.0/24', RouteTableId: 'vtb-i' }],
    ['DeleteRouteEntry', { RouteEntryId: 'rte-sim00000001' }],
    ['CreateRouteEntries', batch({ ...TABLE, DstCidrBlock: '172.16.9.0/24', NextHop: 'i-sim-a' })],
    ['DeleteRouteEntries', batch({ RouteEntryId: 'rte-sim00000001' })],
  ])('%s: TaskConflict, until it has ended', async (action, query) => {
    const { call, pass } = await withRoutes()
    await call(VPC, 'DeleteRouteEntry', { RouteEntryId: 'rte-sim00000002' })
    expect(await call(VPC, action, query)).toMatchObject({ status: 400, body: { Code: 'TaskConflict' } })
    pass(ROUTE_LATENCY)
    expect((await call(VPC, action, query)).status).toBe(200)
  })

  test('the entry itself: IncorrectRouteEntryStatus', async () => {
    const { call } = await withRoutes()
    const [first, second] = [await call(VPC, 'DeleteRouteEntry', TO_A), await call(VPC, 'DeleteRouteEntry', TO_A)]
    expect(first.status).toBe(200)
    expect(second.body.Code).toBe('IncorrectRouteEntryStatus')
  })
})

test('a repeated ClientToken creates one entry', async () => {
  const { call, cloud, pass } = vpcGateway()
  const first = await call(VPC, 'CreateRouteEntry', { ...TO_A, ClientToken: 't' })
  const again = await call(VPC, 'CreateRouteEntry', { ...TO_A, ClientToken: 't' })
  pass(ROUTE_LATENCY)
  const late = await call(VPC, 'CreateRouteEntry', { ...TO_A, ClientToken: 't' })
  const other = await call(VPC, 'CreateRouteEntry', { ...TO_A, ClientToken: 't', NextHopId: 'i-sim-b' })
  expect([again.body.RouteEntryId, late.body.RouteEntryId]).toEqual([first.body.RouteEntryId, first.body.RouteEntryId])
  expect(other.body.Code).toBe('IdempotentParameterMismatch')
  expect(cloud.routes.entries()).toHaveLength(1)
})

describe('batches', () => {
  test('CreateRouteEntries does what it can', async () => {
    const { call, cloud } = await withRoutes()
    const item = { ...TABLE, NextHop: 'i-sim-a', NextHopType: 'Instance' }
    const { status, body } = await call(
      VPC,
      'CreateRouteEntries',
      batch(
        { ...item, DstCidrBlock: '172.16.0.0/24' },
        { ...item, DstCidrBlock: '172.16.2.0/24', IpVersion: '4' },
        { ...item, DstCidrBlock: '172.16.3.0/24', NextHop: 'i-x' },
        { ...item, DstCidrBlock: '172.16.4.0/24' },
        { ...item, DstCidrBlock: '172.16.5.0/24' },
      ),
    )
    expect(status).toBe(200)
    const failure = { NextHop: 'i-sim-a', FailedMessage: expect.any(String) }
    expect(body).toEqual({
      RequestId: expect.any(String),
      SuccessCount: 2,
      FailedCount: 3,
      RouteEntryIds: ['rte-sim00000003', 'rte-sim00000004'],
      FailedRouteEntries: [
        { ...failure, DstCidrBlock: '172.16.0.0/24', FailedCode: 'VPC_ROUTE_ENTRY_CIDR_BLOCK_DUPLICATE' },
        { ...failure, DstCidrBlock: '172.16.3.0/24', NextHop: 'i-x', FailedCode: 'InvalidNextHop.NotFound' },
        { ...failure, DstCidrBlock: '172.16.5.0/24', FailedCode: 'QuotaExceeded' },
      ],
    })
    expect(cloud.routes.entries()).toHaveLength(4)
  })

  test('DeleteRouteEntries does what it can', async () => {
    const { call, cloud, pass } = await withRoutes()
    const query = batch(
      { RouteEntryId: 'rte-sim00000001' },
      { ...TABLE, DstCidrBlock: '172.16.1.0/24', NextHop: 'eni-sim00000002' },
      { RouteEntryId: 'rte-x' },
      { RouteEntryId: 'rte-sim00000001', ...TABLE },
    )
    const { status, body } = await call(VPC, 'DeleteRouteEntries', query)
    expect(status).toBe(200)
    const failure = { DstCidrBlock: '', NextHop: '', FailedMessage: expect.any(String) }
    expect(body).toEqual({
      RequestId: expect.any(String),
      SuccessCount: 2,
      FailedCount: 2,
      FailedRouteEntries: [
        { ...failure, RouteEntryId: 'rte-x', FailedCode: 'VPC_ROUTER_ENTRY_NOT_EXIST' },
        { ...failure, RouteEntryId: 'rte-sim00000001', FailedCode: 'VPC_ROUTE_ENTRY_STATUS_ERROR' },
      ],
    })
    pass(ROUTE_LATENCY)
    expect(cloud.routes.entries()).toEqual([])
  })

  const item = { ...TABLE, DstCidrBlock: '172.16.9.0/24', NextHop: 'i-sim-a' }
  const many = batch(...Array.from({ length: 51 }, (_, i) => ({ ...item, DstCidrBlock: `172.17.${i}.0/24` })))
  test.each<[string, Query, string]>([
    ['CreateRouteEntries', {}, 'MissingParameter'],
    ['CreateRouteEntries', { ...batch(item), RegionId: '' }, 'MissingParameter'],
    ['CreateRouteEntries', many, 'InvalidParameter'],
    ['CreateRouteEntries', batch({ ...item, RouteTableId: '' }), 'MissingParam.RouteTableId'],
    ['CreateRouteEntries', batch(item, { ...item, RouteTableId: 'vtb-x' }), 'InvalidRouteTableId.NotFound'],
    ['CreateRouteEntries', batch({ ...item, DstCidrBlock: 'x' }), 'InvalidCidrBlock.Malformed'],
    ['CreateRouteEntries', batch({ ...item, IpVersion: '6' }), 'InvalidParameter'],
    ['CreateRouteEntries', { ...batch(item), DryRun: 'true' }, 'DryRunOperation'],
    ['DeleteRouteEntries', {}, 'MissingParameter'],
    ['DeleteRouteEntries', batch({ ...TABLE, DstCidrBlock: '172.16.0.0/24' }), 'MissingParameter'],
    ['DeleteRouteEntries', { ...batch({ RouteEntryId: 'rte-sim00000001' }), DryRun: 'true' }, 'DryRunOperation'],
  ])('%s is refused as a whole: %#', async (action, query, code) => {
    const { call, cloud } = await withRoutes()
    const before = cloud.routes.entries()
    expect((await call(VPC, action, query)).body.Code).toBe(code)
    expect(cloud.routes.entries()).toEqual(before)
  })
})
