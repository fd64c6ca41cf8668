import { describe, expect, test } from '@jest/globals'
import { parseCloudId, type VSwitchId, type ZoneId } from '../../cloud/ids.ts'
import { exclusivePods, prefixesPerEni, sharedPods, trunkMembers } from '../../cloud/instance/formulae.ts'
import type { InstanceType } from '../../cloud/instance/instance-type.ts'
import { completed, knownInstanceType } from '../../cloud/instance/table.ts'
import { capacityOf } from '../pool/settings.ts'
import { limitsOf, shortfalls, vSwitchesFor } from './cloud.ts'
import { parseEniConf } from './eni-conf.ts'
import type { PoolConf } from './pool-conf.ts'

function typeOf(id: string): InstanceType {
  const known = knownInstanceType(id)
  if (known === undefined) throw new Error(`${id} is not in the table`)
  return known.type
}

function limitsFor(file: object, type: InstanceType, mode: Partial<PoolConf> = {}) {
  const { pool } = parseEniConf(JSON.stringify(file)).conf
  return limitsOf({ pool: { ...pool, ...mode } }, type)
}

/** ENIs, the primary one included, and addresses of each: of the users' capacity table. */
describe.each([
  ['ecs.g7.large', 3, 10],
  ['ecs.g7.xlarge', 4, 15],
  ['ecs.g7.2xlarge', 4, 15],
  ['ecs.g7.4xlarge', 8, 30],
  ['ecs.g7.8xlarge', 8, 30],
])('%s with %d ENIs of %d addresses', (id, eniQuantity, ipv4PerEni) => {
  const { type } = completed({ id, eniQuantity, ipv4PerEni })
  const capacity = (eniQuantity - 1) * ipv4PerEni

  test('gives pods the addresses of its secondary ENIs', () => {
    const limits = limitsFor({}, type)
    expect(limits).toMatchObject({ kind: 'shared', maxEnis: eniQuantity - 1, addressesPerEni: ipv4PerEni })
    expect([capacityOf(limits), sharedPods(type)]).toEqual([capacity, capacity])
  })

  test('keeps no more free than it can have', () => {
    expect(limitsFor({ min_pool_size: 1000, max_pool_size: 2000 }, type)).toMatchObject({
      minFree: capacity,
      maxFree: capacity,
    })
  })
})

/** 8 ENIs of 20 addresses. */
const TYPE = completed({ id: 'ecs.x', eniQuantity: 8, ipv4PerEni: 20, ipv6PerEni: 20 }).type

describe('the ENIs there may be: trunc(ENIs × ratio) + shift − 1, at most max_eni', () => {
  test.each([
    [{}, 7],
    [{ eni_cap_ratio: 0.5 }, 3],
    [{ eni_cap_ratio: 0.7 }, 4],
    [{ eni_cap_ratio: 0.5, eni_cap_shift: 2 }, 5],
    [{ eni_cap_shift: -3 }, 4],
    [{ eni_cap_shift: -20 }, 0],
    [{ eni_cap_ratio: 0.01 }, 0],
    [{ eni_cap_shift: 2 }, 7],
    [{ eni_cap_ratio: 2 }, 7],
    [{ max_eni: 3 }, 3],
    [{ max_eni: 30 }, 7],
    [{ max_eni: 0 }, 7],
    [{ eni_cap_ratio: 0.5, max_eni: 2 }, 2],
  ])('%j: %d of 8', (file, maxEnis) => {
    expect(limitsFor(file, TYPE)).toMatchObject({ maxEnis, addressesPerEni: 20 })
  })
})

describe('what is kept ready', () => {
  test.each<[object, object]>([
    [{}, { minFree: 10, maxFree: 25, minEnis: 0 }],
    [{ max_ips_per_eni: 6 }, { addressesPerEni: 6 }],
    [{ max_ips_per_eni: 60 }, { addressesPerEni: 20 }],
    [
      { max_eni: 1, max_ips_per_eni: 6 },
      { minFree: 6, maxFree: 6, firstFill: 0 },
    ],
    [{ min_eni: 1 }, { minFree: 20, maxFree: 25, minEnis: 1 }],
    [{ min_eni: 2 }, { minFree: 25, maxFree: 25, minEnis: 2 }],
    [
      { min_eni: 2, max_ips_per_eni: 6 },
      { minFree: 12, maxFree: 25, minEnis: 2 },
    ],
    [{ min_eni: 1, max_ips_per_eni: 6, ip_pool_config: { pool_replenish_threshold: 9 } }, { minFree: 9 }],
    [
      { min_eni: 9, max_eni: 2, max_pool_size: 90 },
      { minFree: 40, maxFree: 40, minEnis: 2 },
    ],
    [{ pre_attach_eni_count: 3 }, { minFree: 10, minEnis: 3 }],
    [{ pre_attach_eni_count: 30 }, { minEnis: 7 }],
    [{ ip_warm_up_size: 1000 }, { firstFill: 140 }],
  ])('%j: %j', (file, limits) => {
    expect(limitsFor(file, TYPE)).toMatchObject(limits)
  })

  test('an annotation of the node is stronger than the file, and not than the instance', () => {
    const { conf } = parseEniConf('{"min_eni": 1}')
    expect(limitsOf(conf, TYPE, { minPool: 5, maxPool: 50 })).toMatchObject({ minFree: 5, maxFree: 50 })
    expect(limitsOf(conf, TYPE, { maxPool: 7 })).toMatchObject({ minFree: 7, maxFree: 7 })
    expect(limitsOf(conf, TYPE, { minPool: 500, maxPool: 600 })).toMatchObject({ minFree: 140, maxFree: 140 })
  })
})

describe('the other kinds', () => {
  test('exclusive: an address and a pod for each ENI', () => {
    const limits = limitsFor({ max_pool_size: 3, min_pool_size: 1, max_ips_per_eni: 6 }, TYPE, { kind: 'exclusive' })
    expect(limits).toMatchObject({ kind: 'exclusive', maxEnis: 7, addressesPerEni: 1, minFree: 1, maxFree: 3 })
    expect(capacityOf(limits)).toBe(exclusivePods(TYPE))
    expect(limitsFor({ min_eni: 2 }, TYPE, { kind: 'exclusive' })).toMatchObject({ minFree: 2, minEnis: 2, maxFree: 7 })
  })

  test('members of the trunk, whatever is said of the ENIs of the instance', () => {
    const type = typeOf('ecs.g7.xlarge')
    const limits = limitsFor({ max_eni: 2 }, type, { kind: 'member' })
    expect(limits).toMatchObject({ maxEnis: 16, addressesPerEni: 1, minFree: 10, maxFree: 16 })
    expect(capacityOf(limits)).toBe(trunkMembers(type))
    expect(limitsFor({}, TYPE, { kind: 'member' })).toMatchObject({ maxEnis: 0, minFree: 0, maxFree: 0 })
  })

  test('prefixes: each takes the place of an address', () => {
    const limits = limitsFor({ enable_ip_prefix: true, ipv4_prefix_count: 5, max_pool_size: 100 }, TYPE)
    expect(limits).toMatchObject({ unit: 'prefix', addressesPerEni: 1 + prefixesPerEni(TYPE), minPrefixes: 5 })
    expect(limits).toMatchObject({ minFree: 10, maxFree: 100 })
    const most = limitsFor({ enable_ip_prefix: true, ipv4_prefix_count: 500 }, TYPE)
    expect(most.minPrefixes).toBe(7 * prefixesPerEni(TYPE))
    expect(limitsFor({ ipv4_prefix_count: 5 }, TYPE).minPrefixes).toBe(0)
  })
})

describe('dual stack is for types whose ENIs can give both to each pod', () => {
  const BOTH = ['ipv4', 'ipv6'] as const
  test.each([
    ['shared' as const, 20, BOTH],
    ['shared' as const, 1, ['ipv4']],
    ['shared' as const, 0, ['ipv4']],
    ['exclusive' as const, 1, BOTH],
    ['exclusive' as const, 0, ['ipv4']],
    ['member' as const, 1, BOTH],
  ])('%s with %d IPv6 addresses: %j', (kind, ipv6PerEni, families) => {
    expect(limitsFor({}, { ...TYPE, ipv6PerEni }, { kind, families: BOTH }).families).toEqual(families)
  })

  test('an IPv6 stack counts IPv6 addresses', () => {
    const limits = limitsFor({}, { ...TYPE, ipv6PerEni: 2 }, { families: ['ipv6'] })
    expect(limits).toMatchObject({ families: ['ipv6'], addressesPerEni: 2 })
  })
})

test('the rest is as in the file', () => {
  const limits = limitsFor(
    {
      ...{ ip_reserve_percent: 20, warm_strategy: 'adaptive', eni_selection_policy: 'least_ips', ip_warmup: {} },
      ...{ idle_ip_reclaim_after: 0, batch_config: { enable: false } },
    },
    TYPE,
  )
  expect(limits).toMatchObject({
    ...{ reserve: 0.2, strategy: 'adaptive', order: 'fewest-pods', warmUp: { batch: 10, interval: 60_000 } },
    ...{ idle: undefined, batch: { wait: 0 } },
  })
})

test.each([
  [{ min_eni: 1 }, {}, []],
  [{ min_eni: 2 }, {}, ['min_eni 2 asks for 40 free addresses; 25 are kept ready, as max_pool_size has it']],
  [{ min_eni: 2 }, { maxPool: 40 }, []],
  [{ min_eni: 2 }, { minPool: 5 }, []],
  [{ min_eni: 9, max_eni: 2, max_pool_size: 90 }, {}, []],
  [{ min_pool_size: 20 }, {}, []],
])('%j with %j of the node: %j', (file, overrides, told) => {
  expect(shortfalls(parseEniConf(JSON.stringify(file)).conf, TYPE, overrides)).toEqual(told)
})

test('a stack that the instance type has not is told', () => {
  const { pool } = parseEniConf('{}').conf
  const type = { ...TYPE, ipv6PerEni: 1 }
  expect(shortfalls({ pool: { ...pool, families: ['ipv4', 'ipv6'] } }, type)).toEqual([
    'ecs.x has not as many IPv6 addresses as IPv4: pods get ipv4',
  ])
})

test.each([
  ['{"vswitches": {"cn-h": ["vsw-1", "vsw-2"], "cn-i": ["vsw-3"]}}', ['vsw-1', 'vsw-2']],
  ['{"vswitches": {"cn-i": ["vsw-3"]}}', ['vsw-own']],
  ['{"vswitch_ids": ["vsw-1", "vsw-3"]}', ['vsw-1', 'vsw-3']],
  ['{"vswitch_ids": []}', ['vsw-own']],
  ['{}', ['vsw-own']],
])('%s: new ENIs are made in %j', (text, ids) => {
  const node = { zoneId: parseCloudId<ZoneId>('cn-h'), vSwitchId: parseCloudId<VSwitchId>('vsw-own') }
  expect(vSwitchesFor(node, parseEniConf(text).conf)).toEqual(ids)
})
