/** How answers of ECS are read: documented bodies, and what the API really sends where it has nothing to say. */
import { describe, expect, test } from '@jest/globals'
import { parseIpv4 } from '../../inet/address.ts'
import { type Scripted, ScriptedTransport } from '../../test/transport/scripted-transport.ts'
import { createEcs, type Ecs, type OddEni } from '../ecs.ts'
import { CloudError } from '../error.ts'
import { type EniId, type InstanceId, parseCloudId, type SecurityGroupId, type VSwitchId } from '../ids.ts'

const id = parseCloudId<EniId>('eni-bp1')
const instance = parseCloudId<InstanceId>('i-bp1')
const REQUEST = {
  vSwitchId: parseCloudId<VSwitchId>('vsw-bp1'),
  securityGroupIds: [parseCloudId<SecurityGroupId>('sg-bp1')],
  clientToken: 't',
}

/** The answer to CreateNetworkInterface, with everything that it can have. */
const CREATED = {
  ...{ RequestId: 'D9C5…', NetworkInterfaceId: 'eni-bp1', Status: 'Available', Type: 'Secondary' },
  ...{ MacAddress: '00:16:3e:12:a7:f3', VpcId: 'vpc-bp1', VSwitchId: 'vsw-bp1', ZoneId: 'cn-hangzhou-g' },
  ...{ PrivateIpAddress: '172.17.0.1', OwnerId: '123456', ResourceGroupId: '', NetworkInterfaceName: 'n' },
  ...{ Description: 'd', SourceDestCheck: false, ServiceID: 0, ServiceManaged: false },
  SecurityGroupIds: { SecurityGroupId: ['sg-bp1'] },
  PrivateIpSets: {
    PrivateIpSet: [
      { PrivateIpAddress: '172.17.0.2', Primary: false },
      { PrivateIpAddress: '172.17.0.1', Primary: true },
    ],
  },
  Ipv6Sets: { Ipv6Set: [{ Ipv6Address: '2408:4321:180:1701:94C7:BC38:3BFA:9', Primary: false }] },
  Ipv4PrefixSets: { Ipv4PrefixSet: [{ Ipv4Prefix: '172.17.0.16/28' }] },
  Ipv6PrefixSets: { Ipv6PrefixSet: [{ Ipv6Prefix: '2408:4321:180:1701:94c7::/80' }] },
  Tags: { Tag: [{ TagKey: 'creator', TagValue: 'terway' }] },
}

/** What only a description has; the empty objects and texts are those of a listing. */
const DESCRIBED = {
  ...CREATED,
  ...{ Status: 'InUse', InstanceId: 'i-bp1', CreationTime: '2019-12-25T12:31:31Z', DeleteOnRelease: true },
  ...{ NetworkInterfaceTrafficMode: 'Standard', AssociatedPublicIp: {}, QueueNumber: 4 },
  Attachment: { InstanceId: 'i-bp1', DeviceIndex: 1, NetworkCardIndex: 0, TrunkNetworkInterfaceId: '' },
}
const pageOf = (...enis: object[]) => ({ NetworkInterfaceSets: { NetworkInterfaceSet: enis }, NextToken: '' })

const ask = <T>(call: (ecs: Ecs) => Promise<T>, ...script: Scripted[]): Promise<T> =>
  call(createEcs(new ScriptedTransport(script).transport))
const listOne = (raw: object) => ask((ecs) => ecs.describeEnis({ instanceId: instance }), pageOf(raw))
const apiError = (code: string, action = 'Action') => new CloudError('no', { action, code })

describe('an ENI', () => {
  const created = {
    ...{ id: 'eni-bp1', mac: '00:16:3e:12:a7:f3', status: 'Available', type: 'Secondary' },
    ...{ vpcId: 'vpc-bp1', vSwitchId: 'vsw-bp1', zoneId: 'cn-hangzhou-g', name: 'n', description: 'd' },
    ...{ primaryIp: '172.17.0.1', ips: ['172.17.0.1', '172.17.0.2'] },
    ...{ ipv6s: ['2408:4321:180:1701:94c7:bc38:3bfa:9'], ipv4Prefixes: ['172.17.0.16/28'] },
    ...{ ipv6Prefixes: ['2408:4321:180:1701:94c7::/80'], securityGroupIds: ['sg-bp1'] },
    tags: new Map([['creator', 'terway']]),
  }

  test('as created', async () => {
    expect(await ask((ecs) => ecs.createEni(REQUEST), CREATED)).toStrictEqual(created)
  })

  test('as listed', async () => {
    expect(await listOne(DESCRIBED)).toStrictEqual([
      {
        ...{ ...created, status: 'InUse', instanceId: 'i-bp1', deviceIndex: 1, networkCard: 0 },
        ...{ trafficMode: 'Standard', deleteOnRelease: true, createdAt: Date.UTC(2019, 11, 25, 12, 31, 31) },
      },
    ])
  })

  test('that is attached to nothing, with no lists at all', async () => {
    const { PrivateIpSets: _, Ipv6Sets: __, Ipv4PrefixSets: ___, Tags: ____, ...bare } = DESCRIBED
    const [eni] = await listOne({ ...bare, Status: 'Available', InstanceId: '', Attachment: {}, Ipv6PrefixSets: {} })
    expect(eni).toMatchObject({ ips: ['172.17.0.1'], ipv6s: [], ipv4Prefixes: [], ipv6Prefixes: [], tags: new Map() })
    for (const field of ['instanceId', 'deviceIndex', 'networkCard', 'trunkId', 'vlanId']) {
      expect(eni).not.toHaveProperty(field)
    }
  })

  test('that is a member: its device index is its VLAN id', async () => {
    const attachment = { InstanceId: 'i-bp1', DeviceIndex: 27, TrunkNetworkInterfaceId: 'eni-trunk' }
    const [eni] = await listOne({ ...DESCRIBED, Type: 'Member', Attachment: attachment })
    expect(eni).toMatchObject({ type: 'Member', trunkId: 'eni-trunk', vlanId: 27 })
    expect(eni).not.toHaveProperty('deviceIndex')
  })

  test('whose instance only the older field names', async () => {
    expect(await listOne({ ...DESCRIBED, Attachment: {} })).toMatchObject([{ instanceId: 'i-bp1' }])
  })

  test('of a status, type and mode that are not known yet', async () => {
    const [eni] = await listOne({ ...DESCRIBED, Status: 'Paused', Type: 'New', NetworkInterfaceTrafficMode: 'Newer' })
    expect(eni).toMatchObject({ status: 'Unknown', type: 'Unknown' })
    expect(eni).not.toHaveProperty('trafficMode')
  })

  test('in full, with its members', async () => {
    const MemberNetworkInterfaceIds = { MemberNetworkInterfaceId: ['eni-m1', 'eni-m2'] }
    const body = { ...DESCRIBED, Type: 'Trunk', Attachment: { ...DESCRIBED.Attachment, MemberNetworkInterfaceIds } }
    const eni = await ask((ecs) => ecs.describeEni(id), body)
    expect(eni).toMatchObject({ id, type: 'Trunk', instanceId: 'i-bp1', memberIds: ['eni-m1', 'eni-m2'] })
    expect(await ask((ecs) => ecs.describeEni(id), CREATED)).toMatchObject({ memberIds: [] })
  })

  const LACKS = { MacAddress: null, PrivateIpAddress: '', PrivateIpSets: null, Ipv6Sets: { Ipv6Set: null }, Tags: null }

  test.each<[string, object, object]>([
    ['without a description, or a place', { Description: null, Attachment: null }, { description: '' }],
    ['attached somehow', { Attachment: { DeviceIndex: null, NetworkCardIndex: '' } }, { instanceId: 'i-bp1' }],
    ['whose creation failed', { ...LACKS, Status: 'CreateFailed' }, { status: 'CreateFailed', ips: [], ipv6s: [] }],
    ['still being made', { ...LACKS, Status: 'Creating', ZoneId: '' }, { status: 'Creating', tags: new Map() }],
    ['without anything', { ...LACKS, Status: null, Type: null, VpcId: null }, { status: 'Unknown', type: 'Unknown' }],
    ['with blank items', { SecurityGroupIds: { SecurityGroupId: ['', 'sg-2', null] } }, { securityGroupIds: ['sg-2'] }],
    ['with a blank address', { PrivateIpSets: { PrivateIpSet: [{ PrivateIpAddress: '' }] } }, { ips: ['172.17.0.1'] }],
  ])('%s is listed like any other', async (_, lacks, expected) => {
    expect(await listOne({ ...DESCRIBED, ...lacks })).toMatchObject([{ id: 'eni-bp1', ...expected }])
    expect(await ask((ecs) => ecs.describeEni(id), { ...DESCRIBED, ...lacks })).toMatchObject(expected)
  })

  test('that does not exist is undefined, and any other failure is one', async () => {
    expect(await ask((ecs) => ecs.describeEni(id), apiError('InvalidEniId.NotFound'))).toBeUndefined()
    await expect(ask((ecs) => ecs.describeEni(id), apiError('Forbidden.RAM'))).rejects.toThrow(/Forbidden\.RAM/)
  })
})

describe('an answer that cannot be used is transient, so that it is asked for again', () => {
  const badAnswer = { name: 'CloudError', code: 'BadAnswer', kind: 'transient' }

  test.each([
    ['no id in the answer to a creation', { ...CREATED, NetworkInterfaceId: '' }],
    ['nothing in the answer to a creation', { RequestId: 'D9C5…' }],
  ])('%s: nothing was created', async (_, body) => {
    const failure = ask((ecs) => ecs.createEni(REQUEST), body)
    await expect(failure).rejects.toMatchObject(badAnswer)
    await expect(failure).rejects.toThrow(/nothing was created/)
  })

  test('an answer to a creation that lacks what a use of the ENI needs', async () => {
    const failure = ask((ecs) => ecs.createEni(REQUEST), { ...CREATED, MacAddress: '', Status: 'Creating' })
    await expect(failure).rejects.toMatchObject(badAnswer)
  })

  const ODD: readonly (readonly [string, object])[] = [
    ['a MAC that is none', { ...DESCRIBED, MacAddress: 'no MAC' }],
    ['an address that is none', { ...DESCRIBED, PrivateIpAddress: '172.17.0.256' }],
    ['an IPv4 address among the IPv6 ones', { ...DESCRIBED, Ipv6Sets: { Ipv6Set: [{ Ipv6Address: '10.0.0.1' }] } }],
    ['a list where an object belongs', { ...DESCRIBED, PrivateIpSets: [] }],
    ['a number for a text', { ...DESCRIBED, Status: 3 }],
  ]

  test.each(ODD)('%s', async (_, raw) => {
    await expect(ask((ecs) => ecs.describeEni(id), raw)).rejects.toMatchObject(badAnswer)
    await expect(ask((ecs) => ecs.createEni(REQUEST), raw)).rejects.toMatchObject(badAnswer)
  })

  test.each(ODD)(
    'but %s does not hide the other ENIs of a listing: it is there, reported, and no more',
    async (_, raw) => {
      const odd: OddEni[] = []
      const { transport } = new ScriptedTransport([pageOf({ ...DESCRIBED, NetworkInterfaceId: 'eni-bp2' }, raw)])
      const [other, unknown] = await createEcs(transport, (eni) => odd.push(eni)).describeEnis({ instanceId: instance })
      expect(other).toMatchObject({ id: 'eni-bp2', status: 'InUse', type: 'Secondary' })
      expect(unknown).toStrictEqual({
        ...{ id: 'eni-bp1', status: 'Unknown', type: 'Unknown', name: '', description: '', tags: new Map() },
        ...{ ips: [], ipv6s: [], ipv4Prefixes: [], ipv6Prefixes: [], securityGroupIds: [] },
      })
      expect(odd).toEqual([{ id: 'eni-bp1', problem: expect.stringContaining('✖') }])
    },
  )

  test.each(['../eni', '', undefined])('an ENI without an id (%j) may be any of them', async (NetworkInterfaceId) => {
    await expect(listOne({ ...DESCRIBED, NetworkInterfaceId })).rejects.toMatchObject(badAnswer)
  })

  test.each<[string, (ecs: Ecs) => Promise<unknown>]>([
    ['a listing of ENIs', (ecs) => ecs.describeEnis({ instanceId: instance })],
    ['a listing of instances', (ecs) => ecs.describeInstances({})],
    ['a listing of security groups', (ecs) => ecs.describeSecurityGroups({})],
    ['a listing of tags', (ecs) => ecs.listTags('eni', { tags: {} })],
    ['assigned addresses', (ecs) => ecs.assignIps(id, 1, 't')],
    ['assigned IPv6 prefixes', (ecs) => ecs.assignIpv6Prefixes(id, 1, 't')],
  ])('nothing where there should be %s: it is not taken for an empty one', async (_, call) => {
    await expect(ask(call, { RequestId: 'D9C5…' })).rejects.toMatchObject(badAnswer)
  })
})

describe('what was assigned: texts, where descriptions have objects', () => {
  const assigned = { NetworkInterfaceId: 'eni-bp1', PrivateIpSet: { PrivateIpAddress: ['172.17.0.3'] } }

  test('addresses and prefixes', async () => {
    const set = { ...assigned, Ipv4PrefixSet: { Ipv4Prefixes: ['172.17.0.32/28'] } }
    const body = { AssignedPrivateIpAddressesSet: set }
    expect(await ask((ecs) => ecs.assignIps(id, 1, 't'), body)).toEqual(['172.17.0.3'])
    expect(await ask((ecs) => ecs.assignIpv4Prefixes(id, 1, 't'), body)).toEqual(['172.17.0.32/28'])
  })

  test('IPv6 addresses and prefixes', async () => {
    const body = { Ipv6Sets: { Ipv6Address: ['FD00::1'] }, Ipv6PrefixSets: { Ipv6Prefix: ['fd00:0:0:0:2::/80'] } }
    expect(await ask((ecs) => ecs.assignIpv6s(id, 1, 't'), body)).toEqual(['fd00::1'])
    expect(await ask((ecs) => ecs.assignIpv6Prefixes(id, 1, 't'), body)).toEqual(['fd00::2:0:0:0/80'])
  })

  test('prefixes in an answer that has addresses only: nothing that was asked for', async () => {
    const body = { AssignedPrivateIpAddressesSet: { ...assigned, Ipv4PrefixSet: {} } }
    await expect(ask((ecs) => ecs.assignIpv4Prefixes(id, 1, 't'), body)).rejects.toMatchObject({ code: 'BadAnswer' })
  })
})

describe('the end is reached when there is nothing left to do', () => {
  const ip = (last: number) => parseIpv4(`172.17.0.${last}`)

  test.each<[string, string, (ecs: Ecs) => Promise<void>]>([
    ['detach', 'InvalidEniId.NotFound', (ecs) => ecs.detachEni(id, instance)],
    ['detach', 'InvalidEcsId.NotFound', (ecs) => ecs.detachEni(id, instance)],
    ['detach', 'InvalidInstanceId.NotFound', (ecs) => ecs.detachEni(id, instance)],
    ['delete', 'InvalidEniId.NotFound', (ecs) => ecs.deleteEni(id)],
    ['unassign', 'InvalidEniId.NotFound', (ecs) => ecs.unassignIps(id, [ip(2), ip(3)])],
    ['unassign', 'InvalidIp.IpUnassigned', (ecs) => ecs.unassignIps(id, [ip(2)])],
    ['untag', 'InvalidResourceId.NotFound', (ecs) => ecs.untag('eni', [id], ['a'])],
  ])('%s: %s', async (_, code, call) => {
    await expect(ask(call, apiError(code))).resolves.toBeUndefined()
  })

  test.each<[string, string, (ecs: Ecs) => Promise<void>]>([
    ['attach', 'InvalidEniId.NotFound', (ecs) => ecs.attachEni(id, instance)],
    ['detach', 'InvalidOperation.InvalidEniState', (ecs) => ecs.detachEni(id, instance)],
    ['delete', 'InvalidInstanceId.NotFound', (ecs) => ecs.deleteEni(id)],
    ['unassign', 'Forbidden.RAM', (ecs) => ecs.unassignIps(id, [ip(2)])],
    ['tag', 'InvalidResourceId.NotFound', (ecs) => ecs.tag('eni', [id], { a: 'b' })],
  ])('%s is not done by %s', async (_, code, call) => {
    await expect(ask(call, apiError(code))).rejects.toMatchObject({ code })
  })

  /**
   * An ENI with addresses; the API refuses a list that names another one, and then does nothing. Descriptions know neither
   * the ENI nor its addresses.
   */
  function unassigning(held: Set<string>) {
    return new ScriptedTransport(({ action, query }) => {
      if (action === 'DescribeNetworkInterfaces') return pageOf()
      const named = query.PrivateIpAddress as string[]
      if (named.some((address) => !held.has(address))) return apiError('InvalidIp.IpUnassigned')
      for (const address of named) held.delete(address)
      return {}
    })
  }

  test('one of the addresses is gone: the others still go', async () => {
    const held = new Set<string>([ip(2), ip(4)])
    const scripted = unassigning(held)
    await createEcs(scripted.transport).unassignIps(id, [ip(2), ip(3), ip(4)])
    expect([...held]).toEqual([])
    expect(scripted.sent).toHaveLength(4)
  })

  test('all of the addresses are gone, as after an answer that was lost: it ends all the same', async () => {
    const scripted = unassigning(new Set())
    await createEcs(scripted.transport).unassignIps(id, [ip(2), ip(3), ip(4)])
    expect(scripted.sent).toHaveLength(4)
  })

  test('one that does not go although it is asked for alone is a failure', async () => {
    const refusals = [apiError('InvalidIp.IpUnassigned'), apiError('InvalidOperation.InvalidEniState')]
    const failure = ask((ecs) => ecs.unassignIps(id, [ip(2), ip(3)]), ...refusals)
    await expect(failure).rejects.toMatchObject({ code: 'InvalidOperation.InvalidEniState' })
  })

  test('one of the resources is gone: the tags of the others still go', async () => {
    const tagged = new Set(['eni-1', 'eni-3'])
    const scripted = new ScriptedTransport(({ query }) => {
      const ids = query.ResourceId as string[]
      if (ids.some((resource) => resource === 'eni-2')) return apiError('InvalidResourceId.NotFound')
      for (const resource of ids) tagged.delete(resource)
      return {}
    })
    await createEcs(scripted.transport).untag('eni', ['eni-1', 'eni-2', 'eni-3'], ['a'])
    expect([...tagged]).toEqual([])
  })
})

describe('lists are sent in pieces that the API takes', () => {
  const ids = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
  /** Length of the longest list in each call. */
  const sizes = ({ sent }: ScriptedTransport) =>
    sent.map(([, parameters]) => Object.keys(parameters).filter((name) => /\.\d+$/.test(name)).length)

  test('100 ids of ENIs', async () => {
    const scripted = new ScriptedTransport(() => pageOf())
    await createEcs(scripted.transport).describeEnis({ ids: ids('eni', 201) as EniId[] })
    expect(sizes(scripted)).toEqual([100, 100, 1])
  })

  test('32 addresses to unassign, 10 of anything else', async () => {
    const scripted = new ScriptedTransport(() => ({}))
    const ecs = createEcs(scripted.transport)
    await ecs.unassignIps(id, ids('ip', 40) as never[])
    await ecs.unassignIpv4Prefixes(id, ids('prefix', 11) as never[])
    await ecs.unassignIpv6s(id, ids('ip', 11) as never[])
    await ecs.unassignIpv6Prefixes(id, ids('prefix', 11) as never[])
    expect(sizes(scripted)).toEqual([32, 8, 10, 1, 10, 1, 10, 1])
  })

  test('10 instance types, 50 resources to tag', async () => {
    const scripted = new ScriptedTransport(() => ({ InstanceTypes: {}, TagResources: {} }))
    const ecs = createEcs(scripted.transport)
    await ecs.describeInstanceTypes(ids('ecs', 11))
    await ecs.untag('eni', ids('eni', 51), [])
    await ecs.listTags('eni', { ids: ids('eni', 51) })
    expect(sizes(scripted)).toEqual([10, 1, 50, 1, 50, 1])
  })

  test('100 ids of instances in the text of an array', async () => {
    const scripted = new ScriptedTransport(() => ({ Instances: {} }))
    await createEcs(scripted.transport).describeInstances({ ids: ids('i', 101) as InstanceId[] })
    expect(scripted.sent.map(([, { InstanceIds = '' }]) => JSON.parse(InstanceIds).length)).toEqual([100, 1])
  })
})

describe('what is only looked at', () => {
  test('instances', async () => {
    const raw = {
      ...{ InstanceId: 'i-bp1', InstanceName: 'node', Status: 'Running', ZoneId: 'cn-hangzhou-g', VlanId: '' },
      ...{ InstanceType: 'ecs.g7.xlarge', VpcAttributes: { VpcId: 'vpc-bp1', VSwitchId: 'vsw-bp1', NatIpAddress: '' } },
      NetworkInterfaces: {
        NetworkInterface: [
          {
            ...{ NetworkInterfaceId: 'eni-bp1', MacAddress: '00:16:3e:12:a7:f3' },
            ...{ PrimaryIpAddress: '172.17.0.1', Type: 'Primary' },
          },
        ],
      },
      ...{ SecurityGroupIds: { SecurityGroupId: ['sg-bp1'] }, Tags: {} },
    }
    const body = { Instances: { Instance: [raw] }, NextToken: '', TotalCount: 1 }
    const eni = { id: 'eni-bp1', mac: '00:16:3e:12:a7:f3', type: 'Primary', primaryIp: '172.17.0.1' }
    expect(await ask((ecs) => ecs.describeInstances({}), body)).toStrictEqual([
      {
        ...{ id: 'i-bp1', name: 'node', status: 'Running', type: 'ecs.g7.xlarge', zoneId: 'cn-hangzhou-g' },
        ...{ vpcId: 'vpc-bp1', vSwitchId: 'vsw-bp1', enis: [eni], securityGroupIds: ['sg-bp1'], tags: new Map() },
      },
    ])
  })

  test('security groups', async () => {
    const raw = { SecurityGroupId: 'sg-bp1', SecurityGroupName: '', SecurityGroupType: 'enterprise', VpcId: '' }
    const body = { SecurityGroups: { SecurityGroup: [raw] } }
    expect(await ask((ecs) => ecs.describeSecurityGroups({}), body)).toStrictEqual([
      { id: 'sg-bp1', name: '', type: 'enterprise', tags: new Map() },
    ])
  })

  test('tags of resources', async () => {
    const raw = { ResourceId: 'eni-bp1', ResourceType: 'eni', TagKey: 'a', TagValue: '' }
    const body = { TagResources: { TagResource: [raw, { ...raw, TagKey: 'b' }] }, NextToken: '' }
    expect(await ask((ecs) => ecs.listTags('eni', { ids: ['eni-bp1'] }), body)).toEqual([
      { resourceId: 'eni-bp1', key: 'a', value: '' },
      { resourceId: 'eni-bp1', key: 'b', value: '' },
    ])
  })

  test('an instance type that is not there', async () => {
    const failure = ask((ecs) => ecs.describeInstanceType('ecs.none'), { InstanceTypes: { InstanceType: [] } })
    await expect(failure).rejects.toMatchObject({ code: 'InstanceType.NotFound', kind: 'not-found' })
  })
})
