/** Whatever is called in whatever order, the cloud stays one that could exist. */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { cidrContains } from '../../inet/address.ts'
import { NO_LATENCY, testRegion } from '../../test/simulator/region.ts'
import { signedRequest } from '../../test/simulator/sign-request.ts'
import { Cloud } from '../cloud/cloud.ts'
import { addressesOf } from '../cloud/eni.ts'
import { isReserved } from '../cloud/vswitch-addresses.ts'
import { Audit } from './audit.ts'
import { Gateway } from './gateway.ts'

/** Answers take no real time; transitions take the simulated time that `wait` lets pass. */
const LATENCIES = { ...NO_LATENCY, attach: 30, detach: 20, delete: 10, link: 5 }
/** Small, so that quotas and vSwitches are exhausted often. */
const TYPE = { id: 'ecs.small.large', cpuCores: 1, memoryGiB: 1, eniQuantity: 3, ipv4PerEni: 4 }
const NODES = ['a', 'b'].map((name, i) => ({
  name,
  instanceId: `i-${name}`,
  instanceType: TYPE.id,
  vSwitch: 'vsw-x',
  primaryIp: `10.0.1.${i + 1}`,
}))
const REGION = testRegion({
  latencies: LATENCIES,
  instanceTypes: [TYPE],
  nodes: NODES,
  vSwitches: [{ id: 'vsw-x', zone: 'z', cidr: '10.0.1.0/28' }],
})

type Step = { readonly wait: number } | { readonly action: string; readonly query: Record<string, string> }

/** Two of the ENIs are primary; the last numbers may not exist yet. */
const eni = fc.integer({ min: 1, max: 8 }).map((number) => `eni-sim0000000${number}`)
/** Mostly the same one, so that its quota is reached. */
const instance = fc.constantFrom('i-a', 'i-a', 'i-a', 'i-b', 'i-gone')
/** .0 and .13 to .15 are the cloud's; .16 is outside. */
const ip = fc.integer({ min: 0, max: 16 }).map((last) => `10.0.1.${last}`)
const count = fc.integer({ min: 0, max: 5 }).map(String)
const token = fc.constantFrom('', 't1', 't2')
const call = (action: string, query: Record<string, fc.Arbitrary<string>>): fc.Arbitrary<Step> =>
  fc.record(query).map((values) => ({ action, query: { RegionId: 'cn-sim', ...values } }))
const group = fc.constant('sg-sim')
const vSwitch = fc.constant('vsw-x')

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map((wait): Step => ({ wait })),
  call('CreateNetworkInterface', { VSwitchId: vSwitch, SecurityGroupId: group, ClientToken: token }),
  call('CreateNetworkInterface', { VSwitchId: vSwitch, SecurityGroupId: group, 'PrivateIpAddress.1': ip }),
  { weight: 3, arbitrary: call('AttachNetworkInterface', { NetworkInterfaceId: eni, InstanceId: instance }) },
  call('DetachNetworkInterface', { NetworkInterfaceId: eni, InstanceId: instance }),
  call('DeleteNetworkInterface', { NetworkInterfaceId: eni }),
  call('AssignPrivateIpAddresses', { NetworkInterfaceId: eni, SecondaryPrivateIpAddressCount: count }),
  call('AssignPrivateIpAddresses', { NetworkInterfaceId: eni, 'PrivateIpAddress.1': ip, 'PrivateIpAddress.2': ip }),
  call('UnassignPrivateIpAddresses', { NetworkInterfaceId: eni, 'PrivateIpAddress.1': ip }),
)

const LEGAL: Readonly<Record<string, readonly string[]>> = {
  '': ['created'],
  created: ['Attaching', 'Deleting'],
  Attaching: ['InUse'],
  InUse: ['linked', 'Detaching'],
  linked: ['Detaching'],
  Detaching: ['Available'],
  Available: ['Attaching', 'Deleting'],
  Deleting: ['gone'],
  gone: [],
}

function checkAddresses(cloud: Cloud): void {
  const ips = cloud.enis().flatMap(addressesOf)
  expect(new Set(ips).size).toBe(ips.length)
  for (const vSwitch of REGION.vSwitches.values()) {
    expect(ips.filter((used) => !cidrContains(vSwitch.cidr, used) || isReserved(vSwitch.cidr, used))).toEqual([])
    expect(cloud.availableIps(vSwitch.id)).toBe(16 - 4 - ips.length)
  }
}

function checkQuotas(cloud: Cloud): void {
  for (const node of REGION.nodes) {
    const attached = cloud.enisOf(node.instanceId)
    expect(attached.length).toBeLessThanOrEqual(TYPE.eniQuantity)
    for (const one of attached) expect(addressesOf(one).length).toBeLessThanOrEqual(TYPE.ipv4PerEni)
    const indices = attached.map((one) => ('deviceIndex' in one.state ? one.state.deviceIndex : -1))
    expect(new Set(indices).size).toBe(indices.length)
  }
}

function checkHistory(cloud: Cloud): void {
  const last = new Map<string, string>(REGION.nodes.map((_, i) => [`eni-sim0000000${i + 1}`, 'linked']))
  for (const { eni: id, change } of cloud.changes.slice(REGION.nodes.length)) {
    if (change === 'assigned' || change === 'unassigned') continue
    expect(LEGAL[last.get(id) ?? '']).toContain(change)
    last.set(id, change)
  }
}

async function run(steps: readonly Step[]): Promise<void> {
  let time = Date.now()
  const cloud = new Cloud({ region: REGION, now: () => time })
  const audit = new Audit()
  const defects: unknown[] = []
  const onInternalError = (error: unknown) => defects.push(error)
  const gateway = new Gateway({ cloud, audit, now: () => time, changed: async () => undefined, onInternalError })
  let calls = 0
  for (const next of steps) {
    if ('wait' in next) {
      time += next.wait
      cloud.advance()
    } else {
      const before = cloud.changes.length
      const { status } = await gateway.answer(signedRequest({ ...next, now: time }))
      calls += 1
      if (status !== 200) expect(cloud.changes).toHaveLength(before)
      expect(audit.entries.at(-1)).toMatchObject({ action: next.action, status })
    }
    checkAddresses(cloud)
    checkQuotas(cloud)
  }
  checkHistory(cloud)
  expect(audit.entries).toHaveLength(calls)
  expect(defects).toEqual([])
}

test('an address is on one ENI, quotas hold, states are legal, the audit is complete', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), run), { numRuns: 200 })
}, 60_000)
