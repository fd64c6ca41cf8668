import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { createEcs, type Ecs } from '../../cloud/ecs.ts'
import { CloudError } from '../../cloud/error.ts'
import {
  type InstanceId,
  parseCloudId,
  type RegionId,
  type VpcId,
  type VSwitchId,
  type ZoneId,
} from '../../cloud/ids.ts'
import type { InstanceLimits } from '../../cloud/instance/limits.ts'
import type { NodeFacts } from '../../cloud/metadata.ts'
import { parseIpv4, parseMac } from '../../inet/address.ts'
import { Journal } from '../store/journal.ts'
import { rememberInstanceLimits, rememberNodeGroups } from './cloud.ts'
import { rememberFacts } from './node-facts.ts'
import type { Memory } from './remembered.ts'

const FACTS: NodeFacts = {
  instanceId: parseCloudId<InstanceId>('i-a'),
  instanceType: 'ecs.g7.xlarge',
  regionId: parseCloudId<RegionId>('cn-sim'),
  zoneId: parseCloudId<ZoneId>('cn-sim-h'),
  vpcId: parseCloudId<VpcId>('vpc-sim'),
  vSwitchId: parseCloudId<VSwitchId>('vsw-sim'),
  primaryIp: parseIpv4('10.0.1.10'),
  primaryMac: parseMac('00:16:3e:00:00:01'),
}
const LIMITS: InstanceLimits = {
  type: {
    ...{ id: 'ecs.g7.xlarge', eniQuantity: 4, eniTotalQuantity: 4, trunkSupported: false },
    ...{ ipv4PerEni: 15, ipv6PerEni: 0, eriQuantity: 0, networkCards: [] },
    queues: { primaryEni: 0, secondaryEni: 0, maxPerEni: 0, total: 0 },
  },
  ...{ source: 'api', assumed: [], problems: [] },
}

let directory: string
let journal: Journal
let stop: AbortController
let memory: Memory
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'terway-remembered-'))
  journal = new Journal(directory)
  stop = new AbortController()
  memory = { journal, signal: stop.signal, log: pino({ level: 'silent' }) }
})
afterEach(() => {
  stop.abort()
  journal.close()
  rmSync(directory, { recursive: true, force: true })
})

/** The API with these answers by action. */
function cloudOf(answers: Readonly<Record<string, unknown>>): Ecs {
  return createEcs(async ({ action }) => answers[action])
}

const AWAY = createEcs(({ action }) => Promise.reject(new CloudError('away', { action, code: 'Network' })))
const REFUSED = createEcs(({ action }) => Promise.reject(new CloudError('no', { action, code: 'Forbidden.RAM' })))
const HANGS = createEcs(() => new Promise(() => undefined))

function typesCloud(eniQuantity: number): Ecs {
  const { id, ipv4PerEni } = LIMITS.type
  const type = { InstanceTypeId: id, EniQuantity: eniQuantity, EniPrivateIpAddressQuantity: ipv4PerEni }
  return cloudOf({ DescribeInstanceTypes: { InstanceTypes: { InstanceType: [type] } } })
}

function groupsCloud(group: string): Ecs {
  const primary = {
    ...{ NetworkInterfaceId: 'eni-1', Status: 'InUse', Type: 'Primary', MacAddress: FACTS.primaryMac },
    ...{ VpcId: FACTS.vpcId, VSwitchId: FACTS.vSwitchId, ZoneId: FACTS.zoneId, PrivateIpAddress: FACTS.primaryIp },
    SecurityGroupIds: { SecurityGroupId: [group] },
  }
  return cloudOf({ DescribeNetworkInterfaces: { NetworkInterfaceSets: { NetworkInterfaceSet: [primary] } } })
}

describe.each([
  ['fails', AWAY],
  ['hangs', HANGS],
])('while the API %s, a later start has', (_, cloud) => {
  test('the limits of the instance type', async () => {
    await rememberInstanceLimits({ ...memory, facts: FACTS, cloud: typesCloud(4) })
    const limits = await rememberInstanceLimits({ ...memory, facts: FACTS, cloud })
    expect(limits.value).toEqual(LIMITS)
    await limits.settle(50)
    expect(limits.value).toEqual(LIMITS)
  })

  test('the security groups of the primary ENI', async () => {
    await rememberNodeGroups({ ...memory, facts: FACTS, cloud: groupsCloud('sg-1') })
    const groups = await rememberNodeGroups({ ...memory, facts: FACTS, cloud })
    expect(groups.value).toEqual({ instanceId: 'i-a', ids: ['sg-1'] })
  })
})

describe('limits that an earlier version has kept', () => {
  const former = { id: 'ecs.g7.xlarge', eniQuantity: 4, ipv4PerEni: 15 }
  const assumed = ['eniTotalQuantity', 'trunkSupported', 'ipv6PerEni', 'eriQuantity', 'queues', 'networkCards']

  test.each([
    ['is away', AWAY],
    ['hangs', HANGS],
  ])('are used while the API %s', async (_, cloud) => {
    journal.putFact('instance-type', former)
    const limits = await rememberInstanceLimits({ ...memory, facts: FACTS, cloud })
    expect(limits.value).toEqual({ ...LIMITS, assumed })
  })

  test('are used by a key that may not ask any more', async () => {
    journal.putFact('instance-type', { ...former, eniQuantity: 3 })
    const limits = await rememberInstanceLimits({ ...memory, facts: FACTS, cloud: REFUSED })
    await new Promise<InstanceLimits>((resolve) => limits.onAnswer(resolve))
    expect(limits.value).toMatchObject({ type: { eniQuantity: 3 }, source: 'api' })
  })

  test('are not used when there are newer ones, or for another type', async () => {
    journal.putFact('instance-type', { ...former, eniQuantity: 9 })
    await rememberInstanceLimits({ ...memory, facts: FACTS, cloud: typesCloud(4) }).then((limits) => limits.settle())
    const newer = await rememberInstanceLimits({ ...memory, facts: FACTS, cloud: AWAY })
    expect(newer.value).toEqual(LIMITS)
    journal.putFact('instance-limits', {})
    journal.putFact('instance-type', { ...former, id: 'ecs.other' })
    const other = await rememberInstanceLimits({ ...memory, facts: FACTS, cloud: typesCloud(5) })
    expect(other.value.type.eniQuantity).toBe(5)
  })
})

test('a primary ENI that is not understood ends no first start: it is asked for again', async () => {
  const enis = [{ NetworkInterfaceId: 'eni-1', MacAddress: 'no MAC', Type: 'Primary' }]
  const cloud = cloudOf({ DescribeNetworkInterfaces: { NetworkInterfaceSets: { NetworkInterfaceSet: enis } } })
  const stopped = new Error('by the test')
  const lines: string[] = []
  const write = (line: string) => {
    lines.push(line)
    stop.abort(stopped)
  }
  const groups = rememberNodeGroups({ ...memory, log: pino({ level: 'warn' }, { write }), facts: FACTS, cloud })
  await expect(groups).rejects.toBe(stopped)
  expect(lines).toEqual([expect.stringContaining('BadAnswer')])
})

test('the answer of the cloud is taken over when it comes, and remembered', async () => {
  await rememberNodeGroups({ ...memory, facts: FACTS, cloud: groupsCloud('sg-1') })
  const groups = await rememberNodeGroups({ ...memory, facts: FACTS, cloud: groupsCloud('sg-2') })
  await groups.settle()
  expect(groups.value.ids).toEqual(['sg-2'])
  const later = await rememberNodeGroups({ ...memory, facts: FACTS, cloud: AWAY })
  expect(later.value.ids).toEqual(['sg-2'])
})

describe('what is not used, so that the cloud is waited for', () => {
  test('limits of another instance type', async () => {
    journal.putFact('instance-limits', { ...LIMITS, type: { ...LIMITS.type, id: 'ecs.other' } })
    const limits = await rememberInstanceLimits({ ...memory, facts: FACTS, cloud: typesCloud(3) })
    expect(limits.value).toEqual({ ...LIMITS, type: { ...LIMITS.type, eniQuantity: 3, eniTotalQuantity: 3 } })
  })

  test.each([
    ['groups of another instance', { instanceId: 'i-b', ids: ['sg-1'] }],
    ['another shape', ['sg-1']],
    ['ids that are none', { instanceId: 'i-a', ids: ['../sg'] }],
  ])('%s', async (_, fact) => {
    journal.putFact('security-groups', fact)
    const groups = await rememberNodeGroups({ ...memory, facts: FACTS, cloud: groupsCloud('sg-2') })
    expect(groups.value.ids).toEqual(['sg-2'])
  })
})

test('a first start ends with an error that asking again cannot change', async () => {
  const facts = { ...FACTS, instanceType: 'ecs.unheard-of.large' }
  await expect(rememberInstanceLimits({ ...memory, facts, cloud: REFUSED })).rejects.toThrow(/Forbidden\.RAM/)
})

test('a key that may not ask for the limits has those of the built-in table', async () => {
  const limits = await rememberInstanceLimits({ ...memory, facts: FACTS, cloud: REFUSED })
  expect(limits.value).toMatchObject({ type: { id: 'ecs.g7.xlarge', eniQuantity: 4, ipv4PerEni: 15 }, source: 'table' })
})

test('a key that may not ask for them any more keeps those that the API has told once', async () => {
  await rememberInstanceLimits({ ...memory, facts: FACTS, cloud: typesCloud(3) })
  const limits = await rememberInstanceLimits({ ...memory, facts: FACTS, cloud: REFUSED })
  await new Promise<InstanceLimits>((resolve) => limits.onAnswer(resolve))
  expect(limits.value).toMatchObject({ type: { eniQuantity: 3 }, source: 'api' })
})

describe('facts of the instance', () => {
  const ITEMS: Readonly<Record<string, string>> = {
    ...{ 'instance-id': 'i-a', 'instance/instance-type': 'ecs.g7.xlarge', 'region-id': 'cn-sim' },
    ...{ 'zone-id': 'cn-sim-h', 'vpc-id': 'vpc-sim', 'vswitch-id': 'vsw-sim' },
    ...{ 'private-ipv4': '10.0.1.10', mac: '00:16:3e:00:00:01' },
  }
  let service: Server
  let endpoint: string
  let instanceId: string
  let answering: boolean
  beforeEach(async () => {
    instanceId = 'i-a'
    answering = true
    service = createServer(({ url = '' }, response) => {
      const item = url.replace('/latest/meta-data/', '')
      if (answering) response.end(item === 'instance-id' ? instanceId : (ITEMS[item] ?? 'token'))
    })
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
    endpoint = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
  })
  afterEach(() => {
    service.closeAllConnections()
    service.close()
  })

  test('are those of the last start while the service hangs, after a short wait, until it is back', async () => {
    expect((await rememberFacts(endpoint, memory)).value).toEqual(FACTS)
    answering = false
    // It would never end if it waited for the service, which answers nothing any more.
    const facts = await rememberFacts(endpoint, memory)
    expect(facts.value).toEqual(FACTS)
    answering = true
    instanceId = 'i-b'
    service.closeAllConnections()
    const told = await new Promise<NodeFacts>((resolve) => facts.onAnswer(resolve))
    expect(told).toEqual({ ...FACTS, instanceId: 'i-b' })
  })

  test('are read again when the service answers, and the other instance is told of', async () => {
    await rememberFacts(endpoint, memory)
    instanceId = 'i-b'
    const facts = await rememberFacts(endpoint, memory)
    expect(facts.value.instanceId).toBe('i-b')
    const told = await new Promise<NodeFacts>((resolve) => facts.onAnswer(resolve))
    expect(told.instanceId).toBe('i-b')
    const groups = rememberNodeGroups({ ...memory, facts: facts.value, cloud: groupsCloud('sg-2') })
    expect((await groups).value).toEqual({ instanceId: 'i-b', ids: ['sg-2'] })
  })
})
