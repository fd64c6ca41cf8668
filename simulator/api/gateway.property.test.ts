/** Whatever is called in whatever order, the cloud stays one that could exist. */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { NO_LATENCY, testRegion } from '../../test/simulator/region.ts'
import { signedRequest } from '../../test/simulator/sign-request.ts'
import { violations } from '../../test/simulator/violations.ts'
import { Cloud } from '../cloud/cloud.ts'
import type { Eni } from '../cloud/eni.ts'
import type { TransitionFault } from '../cloud/faults.ts'
import type { VSwitchId } from '../region/ids.ts'
import { Audit } from './audit.ts'
import { Gateway } from './gateway.ts'

/** Answers take no real time; transitions take the simulated time that `wait` lets pass. */
const LATENCIES = { ...NO_LATENCY, attach: 30, detach: 20, delete: 10, link: 5, member: 15 }
/** Small, so that quotas and vSwitches are exhausted often. */
const TYPE = {
  id: 'ecs.small.large',
  cpuCores: 1,
  memoryGiB: 1,
  eniQuantity: 3,
  eniTotalQuantity: 5,
  trunkSupported: true,
  ipv4PerEni: 4,
  ipv6PerEni: 2,
  queuesPerEni: 2,
  eriQuantity: 1,
}
const REGION = testRegion({
  latencies: LATENCIES,
  instanceTypes: [TYPE],
  vpc: { id: 'vpc-sim', cidr: '10.0.0.0/16', ipv6Cidr: '2001:db8::/56' },
  vSwitches: [
    { id: 'vsw-x', zone: 'z', cidr: '10.0.1.0/26', ipv6Cidr: '2001:db8:0:1::/64' },
    { id: 'vsw-y', zone: 'y', cidr: '10.0.2.0/29' },
  ],
  securityGroups: [{ id: 'sg-a' }, { id: 'sg-b' }, { id: 'sg-c', type: 'enterprise' }],
  quotas: { enis: 8, securityGroupsPerEni: 2, securityGroupIps: { normal: 24 } },
  nodes: [
    { name: 'a', instanceId: 'i-a', instanceType: TYPE.id, vSwitch: 'vsw-x', primaryIp: '10.0.1.1' },
    { name: 'b', instanceId: 'i-b', instanceType: TYPE.id, vSwitch: 'vsw-x', primaryIp: '10.0.1.2', status: 'Stopped' },
  ],
})
const VSWITCHES = ['vsw-x', 'vsw-y'] as VSwitchId[]

type Query = Readonly<Record<string, string>>
type Step =
  | { readonly wait: number }
  /** How the next transitions end. */
  | { readonly plan: readonly (TransitionFault | undefined)[] }
  /** What the vSwitches say they have; undefined: the truth. */
  | { readonly free: number | undefined }
  | { readonly action: string; readonly query: Query }

const idOf = (number: number) => `eni-sim${String(number).padStart(8, '0')}`
/** `@N`: the Nth of the ENIs there are, or one of what the ENI of the call has. */
const ofThose = fc.nat({ max: 20 }).map((index) => `@${index}`)
const eni = fc.oneof(
  { weight: 12, arbitrary: ofThose },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 14 }).map(idOf) },
  { weight: 1, arbitrary: fc.constantFrom('', 'eni-gone', 'x') },
)
/** Mostly the same one, so that its quota is reached. */
const instance = fc.constantFrom(...new Array<string>(12).fill('i-a'), 'i-b', 'i-b', 'i-gone', 'x')
const trunk = fc.constantFrom(idOf(3), idOf(3), idOf(3), '@3', '@1', 'eni-gone')
/** .0 and .61 to .63 are the cloud's; .64 is outside. */
const ip = fc.oneof(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 14, max: 64 })).map((last) => `10.0.1.${last}`)
const prefix = fc.constantFrom('10.0.1.0/28', '10.0.1.16/28', '10.0.1.32/28', '10.0.1.48/28', '10.0.1.17/28', 'x')
const ipv6 = fc
  .constantFrom('::', '::1', '::2', '::3', ':1::1', ':ffff:ffff:ffff:fff9')
  .map((end) => `2001:db8:0:1${end}`)
const prefix6 = fc
  .constantFrom(':1::/80', ':1::/80', ':2::/80', '::/80', ':ffff::/80', '::/64')
  .map((end) => `2001:db8:0:1${end}`)
const count = fc.integer({ min: 0, max: 4 }).map(String)
const few = fc.constantFrom('1', '1', '2', '11')
const token = fc.constantFrom('', 't1', 't2')
const group = fc.constantFrom('sg-a', 'sg-a', 'sg-b', 'sg-c', 'sg-gone')

const own = (other: fc.Arbitrary<string>) => fc.oneof({ weight: 3, arbitrary: ofThose }, other)

const call = (action: string, query: Record<string, fc.Arbitrary<string>>): fc.Arbitrary<Step> =>
  fc.record(query).map((values) => ({ action, query: { RegionId: 'cn-sim', ...values } }))
const NEW = {
  VSwitchId: fc.constantFrom('vsw-x', 'vsw-x', 'vsw-x', 'vsw-y'),
  'SecurityGroupIds.1': fc.constantFrom('sg-a', 'sg-b'),
}
const create = (query: Record<string, fc.Arbitrary<string>>) => call('CreateNetworkInterface', { ...NEW, ...query })
const ENI = { NetworkInterfaceId: eni }
const PLACE = { ...ENI, InstanceId: instance }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 40 }).map((wait): Step => ({ wait })) },
  fc
    .array(fc.constantFrom<TransitionFault | undefined>('hang', 'fail', undefined), { maxLength: 4 })
    .map((plan) => ({ plan })),
  fc.constantFrom(undefined, undefined, 0, 3, 99).map((free) => ({ free })),
  { weight: 3, arbitrary: create({ ClientToken: token }) },
  create({ InstanceType: fc.constantFrom('Trunk', 'Secondary', 'Primary'), 'SecurityGroupIds.2': group }),
  create({ 'PrivateIpAddress.1': ip, PrimaryIpAddress: ip, Ipv6AddressCount: few }),
  create({ 'Ipv4Prefix.1': prefix, 'PrivateIpAddress.1': ip, 'Ipv6Prefix.1': prefix6 }),
  create({ Ipv4PrefixCount: few, SecondaryPrivateIpAddressCount: count, 'Ipv6Address.1': ipv6 }),
  create({ NetworkInterfaceTrafficMode: fc.constantFrom('Standard', 'HighPerformance'), QueueNumber: few }),
  { weight: 9, arbitrary: call('AttachNetworkInterface', PLACE) },
  { weight: 7, arbitrary: call('AttachNetworkInterface', { ...PLACE, TrunkNetworkInstanceId: trunk }) },
  { weight: 2, arbitrary: call('DetachNetworkInterface', PLACE) },
  call('DetachNetworkInterface', { ...PLACE, TrunkNetworkInstanceId: trunk }),
  { weight: 2, arbitrary: call('DeleteNetworkInterface', ENI) },
  call('AssignPrivateIpAddresses', { ...ENI, SecondaryPrivateIpAddressCount: count, ClientToken: token }),
  call('AssignPrivateIpAddresses', { ...ENI, 'PrivateIpAddress.1': ip, 'PrivateIpAddress.2': ip }),
  call('AssignPrivateIpAddresses', { ...ENI, Ipv4PrefixCount: few }),
  call('AssignPrivateIpAddresses', { ...ENI, 'Ipv4Prefix.1': prefix, 'Ipv4Prefix.2': prefix }),
  call('AssignPrivateIpAddresses', { ...ENI, 'Ipv4Prefix.1': prefix }),
  { weight: 4, arbitrary: call('UnassignPrivateIpAddresses', { ...ENI, 'PrivateIpAddress.1': own(ip) }) },
  call('UnassignPrivateIpAddresses', { ...ENI, 'Ipv4Prefix.1': own(prefix) }),
  call('AssignIpv6Addresses', { ...ENI, Ipv6AddressCount: few }),
  call('AssignIpv6Addresses', { ...ENI, 'Ipv6Address.1': ipv6, 'Ipv6Address.2': ipv6 }),
  call('AssignIpv6Addresses', { ...ENI, Ipv6PrefixCount: few }),
  call('AssignIpv6Addresses', { ...ENI, 'Ipv6Prefix.1': prefix6 }),
  { weight: 3, arbitrary: call('UnassignIpv6Addresses', { ...ENI, 'Ipv6Address.1': own(ipv6) }) },
  call('UnassignIpv6Addresses', { ...ENI, 'Ipv6Prefix.1': own(prefix6) }),
  call('ModifyNetworkInterfaceAttribute', { ...ENI, 'SecurityGroupId.1': group, 'SecurityGroupId.2': group }),
  call('ModifyNetworkInterfaceAttribute', {
    ...ENI,
    'SecurityGroupId.1': group,
    NetworkInterfaceName: fc.constant('n1'),
  }),
  call('ModifyNetworkInterfaceAttribute', { ...ENI, QueueNumber: few }),
  call('ModifyNetworkInterfaceAttribute', {
    ...ENI,
    'NetworkInterfaceTrafficConfig.NetworkInterfaceTrafficMode': fc.constantFrom('Standard', 'HighPerformance'),
  }),
)

/** A trunk in use and an ENI for it: by chance alone there would hardly be any members. */
const FIRST: readonly Step[] = [
  { action: 'CreateNetworkInterface', query: { VSwitchId: 'vsw-x', SecurityGroupId: 'sg-a', InstanceType: 'Trunk' } },
  { action: 'AttachNetworkInterface', query: { NetworkInterfaceId: idOf(3), InstanceId: 'i-a' } },
  { wait: 40 },
  { action: 'CreateNetworkInterface', query: { VSwitchId: 'vsw-x', SecurityGroupId: 'sg-a' } },
].map((next): Step => ('query' in next ? { ...next, query: { RegionId: 'cn-sim', ...next.query } as Query } : next))

/** What a call names by `@N`; names of what is not there stay as they are. */
function resolve(cloud: Cloud, query: Query): Query {
  const pick = (items: readonly string[], text: string) =>
    text.startsWith('@') ? (items[Number(text.slice(1)) % items.length] ?? text) : text
  const ids = cloud.enis().map(({ id }) => id)
  const id = pick(ids, query.NetworkInterfaceId ?? '')
  const one = cloud.enis().find((candidate) => candidate.id === id)
  const lists: Readonly<Record<string, readonly string[] | undefined>> = {
    NetworkInterfaceId: ids,
    TrunkNetworkInstanceId: ids,
    'PrivateIpAddress.1': one?.secondaryIps,
    'Ipv4Prefix.1': one?.ipv4Prefixes,
    'Ipv6Address.1': one?.ipv6s,
    'Ipv6Prefix.1': one?.ipv6Prefixes,
  }
  return Object.fromEntries(Object.entries(query).map(([name, text]) => [name, pick(lists[name] ?? [], text)]))
}

/** `hangs` is of the state the ENI is in. */
const LEGAL: Readonly<Record<string, readonly string[]>> = {
  '': ['created'],
  created: ['Attaching', 'Deleting'],
  Attaching: ['InUse', 'Available', 'Detaching'],
  InUse: ['linked', 'Detaching'],
  linked: ['Detaching'],
  Detaching: ['Available'],
  Available: ['Attaching', 'Deleting'],
  Deleting: ['gone'],
  gone: [],
}
const NO_STEP = ['assigned', 'unassigned', 'modified', 'hangs']

function illegalSteps(cloud: Cloud): readonly string[] {
  const last = new Map<string, string>(REGION.nodes.map((_, i) => [idOf(i + 1), 'linked']))
  return cloud.changes.slice(REGION.nodes.length).flatMap(({ eni: id, change }) => {
    if (NO_STEP.includes(change)) return []
    const before = last.get(id) ?? ''
    last.set(id, change)
    return LEGAL[before]?.includes(change) ? [] : [`${id} from ${before} to ${change}`]
  })
}

/** Everything that a call could have changed. */
function snapshot(cloud: Cloud): object {
  const { changes, nextDue, version } = cloud
  const free = VSWITCHES.map((id) => cloud.availableIps(id))
  return { enis: structuredClone(cloud.enis()), changes: changes.length, nextDue, version, free }
}

/** `answered` gets each action with each code it was answered with. */
function testWorld(answered: Set<string>) {
  let time = Date.now()
  let plan: readonly (TransitionFault | undefined)[] = []
  let free: number | undefined
  const faults = {
    transition: () => {
      const [next, ...rest] = plan
      plan = rest
      return next
    },
    availableIps: () => free,
  }
  const now = () => time
  const cloud = new Cloud({ region: REGION, now, faults })
  const audit = new Audit()
  const defects: unknown[] = []
  const gateway = new Gateway({
    cloud,
    audit,
    now,
    sleep: async () => undefined,
    changed: async () => undefined,
    onInternalError: (error) => defects.push(error),
  })
  const ask = async (action: string, query: Query) =>
    await gateway.answer(signedRequest({ action, query: { RegionId: 'cn-sim', ...query }, now: time }))
  const perform = async (next: Step): Promise<void> => {
    if ('wait' in next) time += next.wait
    else if ('plan' in next) plan = next.plan
    else if ('free' in next) free = next.free
    else await checkedCall(next)
    cloud.advance()
  }
  const checkedCall = async ({ action, query }: { action: string; query: Query }): Promise<void> => {
    cloud.advance()
    const before = snapshot(cloud)
    const { status, body } = await ask(action, resolve(cloud, query))
    answered.add(`${action} ${body.Code ?? 'OK'}`)
    if (status !== 200) expect(snapshot(cloud)).toEqual(before)
    expect(audit.entries.at(-1)).toMatchObject({ action, status })
  }
  const wrong = () => violations(cloud, { freeIsTrue: free === undefined })
  return { cloud, ask, perform, defects, wrong }
}
type World = ReturnType<typeof testWorld>

async function checkDescribed({ cloud, ask }: World): Promise<void> {
  const { body } = await ask('DescribeNetworkInterfaces', { MaxResults: '500' })
  expect(body).toMatchObject({ NetworkInterfaceSets: { NetworkInterfaceSet: cloud.enis().map(described) } })
  expect(body.TotalCount).toBe(cloud.enis().length)
}

/** As the API is to show it, said in another way than by the API. */
function described(one: Eni): object {
  const at = 'instanceId' in one.state ? one.state : undefined
  return {
    NetworkInterfaceId: one.id,
    Status: one.state.status,
    Type: one.type,
    InstanceId: at?.instanceId ?? '',
    Attachment: at === undefined ? {} : { InstanceId: at.instanceId, DeviceIndex: at.deviceIndex },
    PrivateIpSets: {
      PrivateIpSet: [one.primaryIp, ...one.secondaryIps].map((PrivateIpAddress) => ({ PrivateIpAddress })),
    },
    Ipv4PrefixSets: { Ipv4PrefixSet: one.ipv4Prefixes.map((Ipv4Prefix) => ({ Ipv4Prefix })) },
    Ipv6Sets: { Ipv6Set: one.ipv6s.map((Ipv6Address) => ({ Ipv6Address })) },
    Ipv6PrefixSets: { Ipv6PrefixSet: one.ipv6Prefixes.map((Ipv6Prefix) => ({ Ipv6Prefix })) },
    SecurityGroupIds: { SecurityGroupId: one.securityGroupIds },
    NetworkInterfaceName: one.name,
    NetworkInterfaceTrafficMode: one.trafficMode,
  }
}

/** Calls and waits until no ENI but the primary ones is left, whatever hangs: members go before their trunks. */
async function tidyUp({ cloud, perform }: World): Promise<void> {
  await perform({ plan: [] })
  await perform({ free: undefined })
  for (let round = 0; round < 4; round++) {
    for (const { id, type, state } of cloud.enis()) {
      if (type === 'Primary') continue
      const query = { RegionId: 'cn-sim', NetworkInterfaceId: id }
      const onInstance = 'instanceId' in state ? { ...query, InstanceId: state.instanceId } : undefined
      if (onInstance === undefined) await perform({ action: 'DeleteNetworkInterface', query })
      else await perform({ action: 'DetachNetworkInterface', query: onInstance })
    }
    await perform({ wait: 60 })
  }
}

/** What is left over belongs to the primary ENIs; everything else can be had again. */
async function checkNothingLeaked(world: World): Promise<void> {
  await tidyUp(world)
  const { cloud } = world
  expect(cloud.enis().map(({ type }) => type)).toEqual(['Primary', 'Primary'])
  expect(cloud.nextDue).toBeUndefined()
  for (const { id, secondaryIps, ipv4Prefixes, ipv6s, ipv6Prefixes } of cloud.enis()) {
    cloud.unassignIpv4(id, { ips: secondaryIps, prefixes: ipv4Prefixes })
    cloud.unassignIpv6(id, { ips: ipv6s, prefixes: ipv6Prefixes })
  }
  const query = {
    VSwitchId: 'vsw-x',
    SecurityGroupId: 'sg-c',
    Ipv4PrefixCount: '2',
    Ipv6AddressCount: '1',
    Ipv6PrefixCount: '1',
  }
  expect((await world.ask('CreateNetworkInterface', query)).body).toMatchObject({
    PrivateIpAddress: '10.0.1.3',
    Ipv4PrefixSets: { Ipv4PrefixSet: [{ Ipv4Prefix: '10.0.1.16/28' }, { Ipv4Prefix: '10.0.1.32/28' }] },
    Ipv6Sets: { Ipv6Set: [{ Ipv6Address: '2001:db8:0:1::1' }] },
    Ipv6PrefixSets: { Ipv6PrefixSet: [{ Ipv6Prefix: '2001:db8:0:1:1::/80' }] },
  })
}

async function run(steps: readonly Step[], answered = new Set<string>()): Promise<void> {
  const world = testWorld(answered)
  for (const next of [...FIRST, ...steps]) {
    await world.perform(next)
    expect(world.wrong()).toEqual([])
  }
  expect(illegalSteps(world.cloud)).toEqual([])
  await checkDescribed(world)
  await checkNothingLeaked(world)
  expect(world.defects).toEqual([])
}

const steps = fc.array(step, { minLength: 1, maxLength: 80, size: 'max' })

test('an address is on one ENI, quotas hold, states are legal, a refusal changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(steps, (some) => run(some)),
    { numRuns: 80 },
  )
}, 120_000)

const INTERESTING: Readonly<Record<string, readonly string[]>> = {
  CreateNetworkInterface: [
    ...['OK', 'InvalidVSwitchId.IpNotEnough', 'MaxEniCountExceeded', 'InvalidVSwitch.Ipv6NotTurnOn'],
    'InvalidIp.IpAssigned',
  ],
  AttachNetworkInterface: [
    ...['OK', 'EniPerInstanceLimitExceeded', 'InvalidOperation.EniTypeNotSupportTrunking'],
    'InvalidOperation.InvalidEniState',
  ],
  DetachNetworkInterface: ['OK', 'InvalidOperation.HasMemberEniAttached', 'InvalidOperation.InvalidEniState'],
  DeleteNetworkInterface: ['OK', 'InvalidOperation.InvalidEniState'],
  ModifyNetworkInterfaceAttribute: ['OK', 'InvalidOperation.MultiGroupType'],
  AssignPrivateIpAddresses: ['OK', 'InvalidOperation.Ipv4CountExceeded', 'InvalidIp.IpAssigned'],
  UnassignPrivateIpAddresses: ['OK', 'InvalidIp.IpUnassigned'],
  AssignIpv6Addresses: ['OK', 'InvalidOperation.Ipv6CountExceeded', 'InvalidIp.IpAssigned'],
  UnassignIpv6Addresses: ['OK', 'InvalidIp.IpUnassigned'],
}

test('such steps get where it is interesting', async () => {
  const answered = new Set<string>()
  // Always the same ones, so that this is a matter of the steps and not of luck.
  await fc.assert(
    fc.asyncProperty(steps, (some) => run(some, answered)),
    { numRuns: 80, seed: 20_261_121 },
  )
  const wanted = Object.entries(INTERESTING).flatMap(([action, codes]) => codes.map((code) => `${action} ${code}`))
  expect(wanted.filter((answer) => !answered.has(answer))).toEqual([])
}, 120_000)
