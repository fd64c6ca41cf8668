import { describe, expect, test } from '@jest/globals'
import { NO_LATENCY, testRegion } from '../../test/simulator/region.ts'
import { signedRequest } from '../../test/simulator/sign-request.ts'
import { Cloud } from '../cloud/cloud.ts'
import type { NodeName } from '../region/ids.ts'
import { VPC } from './action.ts'
import { Audit } from './audit.ts'
import { Gateway } from './gateway.ts'

const SG = { 'SecurityGroupIds.1': 'sg-sim' }
const CREATE = { VSwitchId: 'vsw-sim-h', ...SG }

function testGateway(changed: () => Promise<void> = async () => undefined) {
  const cloud = new Cloud({ region: testRegion({ latencies: NO_LATENCY }), now: Date.now })
  const audit = new Audit()
  const errors: unknown[] = []
  const gateway = new Gateway({ cloud, audit, now: Date.now, changed, onInternalError: (error) => errors.push(error) })
  const call = async (action: string, query: Readonly<Record<string, string>>, version?: string) =>
    await gateway.answer(
      signedRequest({ action, query: { RegionId: 'cn-sim', ...query }, ...(version === undefined ? {} : { version }) }),
      'node-a' as NodeName,
    )
  return { cloud, audit, errors, gateway, call }
}

describe('the shape of answers', () => {
  test('of CreateNetworkInterface', async () => {
    const { call } = testGateway()
    const query = { ...CREATE, SecondaryPrivateIpAddressCount: '1', 'Tag.1.Key': 'creator', 'Tag.1.Value': 'terway' }
    const { status, body } = await call('CreateNetworkInterface', query)
    expect(status).toBe(200)
    expect(body).toEqual({
      RequestId: expect.stringMatching(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/),
      NetworkInterfaceId: 'eni-sim00000003',
      NetworkInterfaceName: '',
      Description: '',
      Status: 'Available',
      Type: 'Secondary',
      MacAddress: '00:16:3e:00:00:03',
      VpcId: 'vpc-sim',
      VSwitchId: 'vsw-sim-h',
      ZoneId: 'cn-sim-h',
      PrivateIpAddress: '10.0.1.1',
      PrivateIpSets: {
        PrivateIpSet: [
          { PrivateIpAddress: '10.0.1.1', Primary: true },
          { PrivateIpAddress: '10.0.1.2', Primary: false },
        ],
      },
      Ipv6Sets: { Ipv6Set: [] },
      Ipv4PrefixSets: { Ipv4PrefixSet: [] },
      Ipv6PrefixSets: { Ipv6PrefixSet: [] },
      SecurityGroupIds: { SecurityGroupId: ['sg-sim'] },
      Tags: { Tag: [{ TagKey: 'creator', TagValue: 'terway' }] },
      OwnerId: '100000000000001',
      ResourceGroupId: '',
      ServiceManaged: false,
      SourceDestCheck: false,
    })
  })

  test('of DescribeNetworkInterfaces: an empty attachment is an object', async () => {
    const { call } = testGateway()
    await call('CreateNetworkInterface', CREATE)
    const { body } = await call('DescribeNetworkInterfaces', {})
    expect(body).toMatchObject({
      NextToken: '',
      NetworkInterfaceSets: {
        NetworkInterfaceSet: [
          { Type: 'Primary', InstanceId: 'i-sim-a', Attachment: { InstanceId: 'i-sim-a', DeviceIndex: 0 } },
          { Type: 'Primary', InstanceId: 'i-sim-b' },
          {
            InstanceId: '',
            Attachment: {},
            AssociatedPublicIp: {},
            CreationTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
          },
        ],
      },
    })
  })

  test('of AssignPrivateIpAddresses: lists of text', async () => {
    const { call } = testGateway()
    await call('CreateNetworkInterface', CREATE)
    const query = { NetworkInterfaceId: 'eni-sim00000003', SecondaryPrivateIpAddressCount: '2' }
    expect((await call('AssignPrivateIpAddresses', query)).body).toMatchObject({
      AssignedPrivateIpAddressesSet: {
        NetworkInterfaceId: 'eni-sim00000003',
        PrivateIpSet: { PrivateIpAddress: ['10.0.1.2', '10.0.1.3'] },
        Ipv4PrefixSet: { Ipv4Prefixes: [] },
      },
    })
  })

  test('of DescribeVSwitches: of the VPC product, numbers are numbers', async () => {
    const { call } = testGateway()
    expect((await call('DescribeVSwitches', { VSwitchId: 'vsw-sim-h' }, VPC)).body).toMatchObject({
      TotalCount: 1,
      VSwitches: { VSwitch: [{ AvailableIpAddressCount: 251, OwnerId: 100000000000001, EnabledIpv6: false }] },
    })
    expect((await call('DescribeVSwitches', { VSwitchId: 'vsw-x' }, VPC)).body).toMatchObject({ TotalCount: 0 })
  })

  test('of DescribeInstances and DescribeInstanceTypes', async () => {
    const { call } = testGateway()
    expect((await call('DescribeInstances', { InstanceIds: '["i-sim-b","i-x"]' })).body).toMatchObject({
      TotalCount: 1,
      Instances: {
        Instance: [{ InstanceId: 'i-sim-b', VpcAttributes: { PrivateIpAddress: { IpAddress: ['10.0.2.10'] } } }],
      },
    })
    expect((await call('DescribeInstanceTypes', { 'InstanceTypes.1': 'ecs.g7.xlarge' })).body).toMatchObject({
      InstanceTypes: {
        InstanceType: [
          {
            EniQuantity: 4,
            EniTotalQuantity: 20,
            EniTrunkSupported: true,
            EniPrivateIpAddressQuantity: 15,
            TotalEniQueueQuantity: 16,
          },
        ],
      },
    })
  })

  test('of an error', async () => {
    const { call } = testGateway()
    expect(await call('DeleteNetworkInterface', { NetworkInterfaceId: 'eni-x' })).toEqual({
      status: 404,
      headers: {},
      delivery: { kind: 'whole' },
      body: {
        RequestId: expect.any(String),
        HostId: 'ecs.test',
        Code: 'InvalidEniId.NotFound',
        Message: 'The ENI eni-x does not exist.',
        Recommend: expect.stringContaining('InvalidEniId.NotFound'),
      },
    })
  })
})

describe('filters', () => {
  const found = async (filter: Readonly<Record<string, string>>) => {
    const { call } = testGateway()
    const tags = { 'Tag.1.Key': 'creator', 'Tag.1.Value': 'terway' }
    await call('CreateNetworkInterface', { ...CREATE, ...tags, NetworkInterfaceName: 'one' })
    await call('CreateNetworkInterface', { ...CREATE, VSwitchId: 'vsw-sim-i' })
    const { body } = await call('DescribeNetworkInterfaces', filter)
    const text = JSON.stringify(body)
    return [...text.matchAll(/"NetworkInterfaceId":"eni-sim0*(\d+)"/g)].map(([, number]) => Number(number))
  }
  test.each<[Record<string, string>, number[]]>([
    [{}, [1, 2, 3, 4]],
    [{ 'NetworkInterfaceId.1': 'eni-sim00000004', 'NetworkInterfaceId.2': 'eni-gone' }, [4]],
    [{ InstanceId: 'i-sim-a' }, [1]],
    [{ Type: 'Secondary' }, [3, 4]],
    [{ Status: 'InUse' }, [1, 2]],
    [{ VSwitchId: 'vsw-sim-i' }, [2, 4]],
    [{ 'PrivateIpAddress.1': '10.0.2.1' }, [4]],
    [{ PrimaryIpAddress: '10.0.1.10' }, [1]],
    [{ NetworkInterfaceName: 'one' }, [3]],
    [{ SecurityGroupId: 'sg-x' }, []],
    [{ 'Tag.1.Key': 'creator', 'Tag.1.Value': 'terway' }, [3]],
    [{ 'Tag.1.Key': 'creator' }, [3]],
    [{ 'Tag.1.Key': 'creator', 'Tag.1.Value': 'other' }, []],
  ])('%j', async (filter, numbers) => {
    expect(await found(filter)).toEqual(numbers)
  })
})

describe('refusals change nothing', () => {
  const eni = { NetworkInterfaceId: 'eni-sim00000003' }
  test.each<[string, Record<string, string>, string]>([
    ['CreateNetworkInterface', SG, 'MissingParameter'],
    ['CreateNetworkInterface', { VSwitchId: 'vsw-sim-h' }, 'MissingParameter'],
    ['CreateNetworkInterface', { ...CREATE, SecurityGroupId: 'sg-sim' }, 'InvalidParameter.Conflict'],
    ['CreateNetworkInterface', { ...CREATE, RegionId: 'cn-x' }, 'InvalidRegionId.NotFound'],
    ['CreateNetworkInterface', { ...CREATE, RegionId: '' }, 'MissingParameter'],
    ['CreateNetworkInterface', { ...CREATE, SecondaryPrivateIpAddressCount: '50' }, 'InvalidParameter'],
    ['CreateNetworkInterface', { ...CREATE, Ipv6AddressCount: '1' }, 'InvalidVSwitch.Ipv6NotTurnOn'],
    ['CreateNetworkInterface', { ...CREATE, QueuePairNumber: '1' }, 'UnsupportedParameter'],
    ['AttachNetworkInterface', eni, 'MissingParameter'],
    ['AttachNetworkInterface', { ...eni, InstanceId: 'x' }, 'InvalidInstanceID.Malformed'],
    [
      'AttachNetworkInterface',
      { ...eni, InstanceId: 'i-sim-a', TrunkNetworkInstanceId: 'eni-1' },
      'InvalidEniId.NotFound',
    ],
    ['DeleteNetworkInterface', { NetworkInterfaceId: 'x' }, 'InvalidParams.EniId'],
    ['DescribeNetworkInterfaces', { MaxResults: '5' }, 'InvalidParameter'],
    ['DescribeNetworkInterfaces', { NextToken: 'x' }, 'InvalidParameter.NextToken'],
    ['DescribeNetworkInterfaceAttribute', { NetworkInterfaceId: 'eni-x' }, 'InvalidEniId.NotFound'],
    ['AssignPrivateIpAddresses', eni, 'MissingParameter'],
    ['AssignPrivateIpAddresses', { ...eni, 'PrivateIpAddress.1': '::1' }, 'InvalidParameter'],
    ['UnassignPrivateIpAddresses', eni, 'MissingParameter'],
    ['UnassignPrivateIpAddresses', { ...eni, 'PrivateIpAddress.1': '10.0.1.9' }, 'InvalidIp.IpUnassigned'],
    ['TagResources', { 'ResourceId.1': 'eni-sim00000003' }, 'MissingParameter.ResourceType'],
    ['TagResources', { ResourceType: 'disk', 'ResourceId.1': 'd-1' }, 'InvalidResourceType.NotFound'],
    ['TagResources', { ResourceType: 'eni', 'ResourceId.1': 'eni-sim00000003' }, 'MissingParameter.Tags'],
    ['DescribeVSwitches', {}, 'InvalidAction.NotFound'],
    ['RunInstances', {}, 'InvalidAction.NotFound'],
  ])('%s %j: %s', async (action, query, code) => {
    const { cloud, audit, call, errors } = testGateway()
    await call('CreateNetworkInterface', CREATE)
    const before = cloud.changes.length
    const { body } = await call(action, query)
    expect(body).toMatchObject({ Code: code })
    expect(cloud.changes).toHaveLength(before)
    expect(audit.entries.at(-1)).toMatchObject({
      action,
      code,
      key: 'LTAIsim',
      node: 'node-a',
      requestId: body.RequestId,
    })
    expect(errors).toEqual([])
  })

  test('another method', async () => {
    const { gateway } = testGateway()
    const { status, body } = await gateway.answer(
      signedRequest({ action: 'DescribeInstances', query: {}, method: 'GET' }),
    )
    expect([status, body.Code]).toEqual([403, 'UnsupportedHTTPMethod'])
  })
})

test('a repeated ClientToken gives the same ENI under another RequestId', async () => {
  const { cloud, call, audit } = testGateway()
  const first = await call('CreateNetworkInterface', { ...CREATE, ClientToken: 't' })
  const second = await call('CreateNetworkInterface', { ...CREATE, ClientToken: 't' })
  const { RequestId: a, ...one } = first.body
  const { RequestId: b, ...two } = second.body
  expect(two).toEqual(one)
  expect(b).not.toBe(a)
  expect(cloud.enis()).toHaveLength(3)
  const third = await call('CreateNetworkInterface', { ...CREATE, ClientToken: 't', Description: 'other' })
  expect(third.body.Code).toBe('IdempotentParameterMismatch')
  expect(audit.entries.map((entry) => entry.clientToken)).toEqual(['t', 't', 't'])
})

test('a defect of the simulator is an InternalError and is reported', async () => {
  const { call, errors, audit } = testGateway(() => Promise.reject(new Error('no link')))
  const { status, body } = await call('CreateNetworkInterface', CREATE)
  expect([status, body.Code]).toEqual([500, 'InternalError'])
  expect(errors).toEqual([new Error('no link')])
  expect(audit.entries).toHaveLength(1)
})
