import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { limitsOf } from './cloud.ts'
import { ConfigError, parseEniConf } from './eni-conf.ts'

const parse = (file: object) => parseEniConf(JSON.stringify(file))
const poolOf = (file: object) => parse(file).conf.pool

const IDLE = { after: 300_000, interval: 0, batch: Infinity, jitter: 0 }
const IDLE_BY_BATCHES = { after: 300_000, interval: 600_000, batch: 5, jitter: 0.1 }

describe('one setting', () => {
  test.each<[string, object, object]>([
    ['pool sizes', { min_pool_size: 3, max_pool_size: 7 }, { minPool: 3, maxPool: 7 }],
    ['of the plugin', { eni_min_pool_size: 3, eni_max_pool_size: 7 }, { minPool: 3, maxPool: 7 }],
    ['of ipam_config', { ipam_config: { min_pool_size: 3, max_pool_size: 7 } }, { minPool: 3, maxPool: 7 }],
    ['of ip_pool_config', { ip_pool_config: { min_pool_size: 3, max_pool_size: 7 } }, { minPool: 3, maxPool: 7 }],
    ['twice the same', { min_pool_size: 3, ipam_config: { min_pool_size: 3 } }, { minPool: 3, maxPool: 25 }],
    ['only the most', { max_pool_size: 5 }, { minPool: 5, maxPool: 5 }],
    ['only the least', { min_pool_size: 40 }, { minPool: 40, maxPool: 40 }],
    ['none at all', { max_pool_size: 0 }, { minPool: 0, maxPool: 0 }],

    ['a threshold above the least', { ip_pool_config: { pool_replenish_threshold: 20 } }, { minPool: 20, maxPool: 25 }],
    ['below it', { min_pool_size: 15, ip_pool_config: { pool_replenish_threshold: 3 } }, { minPool: 15 }],
    ['never above the most', { max_pool_size: 8, ip_pool_config: { pool_replenish_threshold: 30 } }, { minPool: 8 }],
    ['above the default most', { ip_pool_config: { pool_replenish_threshold: 30 } }, { minPool: 30, maxPool: 30 }],
    ['the alarm', { ip_pool_config: { pool_depletion_threshold: 4 } }, { depletedAt: 4, minPool: 10 }],

    ['max_eni', { max_eni: 2 }, { eniCap: { ratio: 1, shift: 0, max: 2 } }],
    ['max_eni 0', { max_eni: 0, max_ips_per_eni: 0 }, { eniCap: { ratio: 1, shift: 0, max: Infinity } }],
    ['a share', { eni_cap_ratio: 0.5, eni_cap_shift: -1 }, { eniCap: { ratio: 0.5, shift: -1, max: Infinity } }],
    ['no share', { eni_cap_ratio: 0 }, { eniCap: { ratio: 1, shift: 0, max: Infinity } }],
    ['max_ips_per_eni', { max_ips_per_eni: 6 }, { maxPerEni: 6 }],
    ['min_eni', { min_eni: 2 }, { minPoolEnis: 2, minEnis: 2, minPool: 0 }],
    ['ENIs attached', { pre_attach_eni_count: 2, eni_pre_warm: true }, { minPoolEnis: 0, minEnis: 2, minPool: 10 }],
    ['one ENI', { eni_config: { eni_pre_warm: true } }, { minEnis: 1 }],
    ['no ENI', { eni_pre_warm: false, eni_config: { eni_pre_warm: false } }, { minEnis: 0 }],
    ['tries', { eni_config: { eni_max_allocate_retry: 3 } }, { attachTries: 3 }],

    ['the reserve', { ip_reserve_percent: 20 }, { reserve: 0.2 }],
    ['of the policy', { ip_allocation_policy: { ip_reserve_percent: 12.5 } }, { reserve: 0.125 }],
    ['the first fill', { ip_warm_up_size: 30 }, { firstFill: 30 }],
    ['the strategy', { warm_strategy: 'adaptive' }, { strategy: 'adaptive' }],

    ['the order', { eni_selection_policy: 'least_ips' }, { order: 'fewest-pods' }],
    ['the other one', { eni_selection_policy: 'most_ips' }, { order: 'most-pods' }],
    ['by preference', { prefer_eni_with_most_ips: false }, { order: 'fewest-pods' }],
    ['of the policy', { ip_allocation_policy: { prefer_eni_with_most_ips: true } }, { order: 'most-pods' }],

    ['warming up', { ip_warmup: {} }, { warmUp: { batch: 10, interval: 60_000 } }],
    [
      'in portions',
      { ip_warmup: { enable: true, warmup_interval_seconds: 30, warmup_batch_size: 4 } },
      { warmUp: { batch: 4, interval: 30_000 } },
    ],
    ['not in portions', { ip_warmup: { enable: false, warmup_batch_size: 4 } }, { warmUp: undefined }],
    ['a rate', { ipam_config: { pool_replenish_rate: 5 } }, { warmUp: { batch: 5, interval: 1000 } }],
    [
      'a rate of portions',
      { ip_warmup: { warmup_interval_seconds: 2 }, ipam_config: { pool_replenish_rate: 5 } },
      { warmUp: { batch: 5, interval: 2000 } },
    ],
    [
      'a rate instead of portions',
      { ip_warmup: { enable: false, warmup_batch_size: 4 }, ipam_config: { pool_replenish_rate: 5 } },
      { warmUp: { batch: 5, interval: 1000 } },
    ],

    ['idle time', { ipam_config: { ip_reclaim_timeout: '100s' } }, { idle: { ...IDLE, after: 100_000 } }],
    ['of the collection', { resource_gc: { idle_ip_ttl_seconds: 600 } }, { idle: { ...IDLE, after: 600_000 } }],
    ['of the original', { idle_ip_reclaim_after: '1h' }, { idle: { ...IDLE_BY_BATCHES, after: 3_600_000 } }],
    [
      'two of them',
      { idle_ip_reclaim_after: 600, resource_gc: { idle_ip_ttl_seconds: 600 } },
      { idle: { ...IDLE_BY_BATCHES, after: 600_000 } },
    ],
    [
      'all of the original',
      {
        ...{ idle_ip_reclaim_after: '30m', idle_ip_reclaim_interval: '5m', idle_ip_reclaim_batch_size: 3 },
        idle_ip_reclaim_jitter_factor: '0.2',
      },
      { idle: { after: 1_800_000, interval: 300_000, batch: 3, jitter: 0.2 } },
    ],
    ['its batch', { idle_ip_reclaim_batch_size: 2 }, { idle: { ...IDLE_BY_BATCHES, batch: 2 } }],
    ['its batch of none', { idle_ip_reclaim_batch_size: 0 }, { idle: IDLE_BY_BATCHES }],
    ['no jitter', { idle_ip_reclaim_jitter_factor: 0 }, { idle: { ...IDLE_BY_BATCHES, jitter: 0 } }],
    ['no idle time', { idle_ip_reclaim_after: 0, idle_ip_reclaim_batch_size: 3 }, { idle: undefined }],
    ['no idle time', { ipam_config: { ip_reclaim_timeout: '0' } }, { idle: undefined }],

    [
      'collection',
      { resource_gc: { enable: true, interval_seconds: 60, orphan_eni_ttl_seconds: 1800 } },
      { gc: { interval: 60_000, orphanTtl: 1_800_000 } },
    ],
    ['of the original', { ip_pool_sync_period: '2m' }, { gc: { interval: 120_000, orphanTtl: 0 } }],
    ['of ENIs', { eni_config: { eni_gc_interval: '60s' } }, { gc: { interval: 60_000, orphanTtl: 0 } }],
    ['none', { resource_gc: { enable: false, interval_seconds: 60 } }, { gc: { interval: undefined, orphanTtl: 0 } }],
    ['none by time', { ip_pool_sync_period: 0 }, { gc: { interval: undefined, orphanTtl: 0 } }],

    [
      'batches',
      { batch_config: { enable: true, batch_size: 20, batch_interval_ms: 100 } },
      { batch: { addresses: 20, enis: Infinity, wait: 100 } },
    ],
    [
      'no batches',
      { batch_config: { enable: false, batch_size: 20 } },
      { batch: { addresses: Infinity, enis: Infinity, wait: 0 } },
    ],
    ['ENIs at once', { eni_config: { eni_allocate_batch: 3 } }, { batch: { addresses: Infinity, enis: 3, wait: 50 } }],

    ['the cluster', { cluster_id: 'c-1' }, { clusterId: 'c-1' }],
    ['tags', { eni_tag_filter: { team: 'a', empty: '' } }, { tagFilter: { team: 'a', empty: '' } }],
  ])('%s: %j', (_, file, pool) => {
    const { conf, warnings } = parse(file)
    expect(conf.pool).toMatchObject(pool)
    expect(warnings).toEqual([])
  })

  test('tags of ENIs to leave alone are added to the ones built in, none twice', () => {
    const builtIn = poolOf({}).blockedTags
    const own = { key: 'owner', value: '' }
    expect(builtIn).toHaveLength(2)
    expect(poolOf({ eni_tag_block_list: [...builtIn, own] }).blockedTags).toEqual([...builtIn, own])
  })
})

test('what a setting takes the effect from is told', () => {
  expect(parse({ min_eni: 1, ipam_config: { min_pool_size: 3 } }).warnings).toEqual([
    'eni_conf: ipam_config.min_pool_size has no effect beside min_eni',
  ])
  expect(parse({ ipv4_prefix_count: 3 }).warnings).toEqual([
    'eni_conf: ipv4_prefix_count has no effect without enable_ip_prefix',
  ])
})

describe('refused is', () => {
  test.each<[object, RegExp]>([
    [
      { min_pool_size: 1, ipam_config: { min_pool_size: 2 } },
      /min_pool_size and ipam_config.min_pool_size are the same/,
    ],
    [
      { eni_max_pool_size: 1, ip_pool_config: { max_pool_size: 2 } },
      /eni_max_pool_size and ip_pool_config.max_pool_size/,
    ],
    [
      { idle_ip_reclaim_after: '5m', resource_gc: { idle_ip_ttl_seconds: 600 } },
      /idle_ip_reclaim_after and resource_gc\./,
    ],
    [{ resource_gc: { interval_seconds: 60 }, ip_pool_sync_period: '2m' }, /interval_seconds and ip_pool_sync_period/],
    [{ eni_selection_policy: 'least_ips', prefer_eni_with_most_ips: true }, /eni_selection_policy and prefer_eni/],
    [
      { ip_warmup: { warmup_batch_size: 1 }, ipam_config: { pool_replenish_rate: 2 } },
      /warmup_batch_size and ipam_config/,
    ],
    [{ eni_pre_warm: true, eni_config: { eni_pre_warm: false } }, /eni_pre_warm and eni_config.eni_pre_warm/],
    [
      { ip_reserve_percent: 1, ip_allocation_policy: { ip_reserve_percent: 2 } },
      /ip_reserve_percent and ip_allocation/,
    ],
    [
      { ipam_config: { min_pool_size: 9 }, max_pool_size: 3 },
      /ipam_config.min_pool_size 9 must not exceed max_pool_size 3/,
    ],
    [{ batch_config: { batch_interval_ms: 101 } }, /must be at most 100: a pod must not wait longer for others/],
    [{ batch_config: { batch_size: 0 } }, /batch_config.batch_size must be at least 1/],
    [{ ip_warmup: { warmup_interval_seconds: 0 } }, /warmup_interval_seconds must be above 0/],
    [{ idle_ip_reclaim_interval: '0s' }, /idle_ip_reclaim_interval must be above 0/],
    [{ idle_ip_reclaim_jitter_factor: 'much' }, /jitter_factor must be a number like 0.1/],
    [{ idle_ip_reclaim_jitter_factor: -1 }, /jitter_factor must not be negative/],
    [{ ip_pool_sync_period: '10ms' }, /ip_pool_sync_period must be 0 or at least a second/],
    [{ ip_pool_sync_period: '2 minutes' }, /ip_pool_sync_period must be a number of seconds or a duration like/],
    [{ resource_gc: { interval_seconds: '60s' } }, /resource_gc.interval_seconds must be a number of seconds/],
    [{ resource_gc: { interval_seconds: 1e10 } }, /resource_gc.interval_seconds must be from 0 to 24 days/],
    [{ resource_gc: { enable: 'true' } }, /resource_gc.enable must be true or false/],
    [{ ip_reserve_percent: 101 }, /ip_reserve_percent must be at most 100/],
    [{ warm_strategy: 'eager' }, /warm_strategy must be one of fixed, adaptive/],
    [{ eni_selection_policy: 'random' }, /eni_selection_policy must be one of most_ips, least_ips/],
    [{ cluster_id: 'x'.repeat(129) }, /cluster_id must be at most 128 characters/],
    [{ eni_tag_block_list: { a: 'b' } }, /eni_tag_block_list must be a list/],
    [{ eni_tag_block_list: [{ key: '', value: 'b' }] }, /eni_tag_block_list.0.key must not be empty/],
    [{ eni_tag_filter: { a: 1 } }, /eni_tag_filter.a must be a string/],
    [{ eni_config: [] }, /eni_config must be an object/],
  ])('%j', (file, message) => {
    expect(() => parse(file)).toThrow(ConfigError)
    expect(() => parse(file)).toThrow(message)
  })
})

/** Valid values of every key; those of one setting are drawn once and given under some of its names. */
const size = fc.nat(300)
const milliseconds = fc.integer({ min: 1, max: 86_400 }).map((s) => s * 1000)
const asDuration = fc.constantFrom(
  (ms: number) => ms / 1000,
  (ms: number) => `${ms / 1000}s`,
  (ms: number) => `${ms}ms`,
)
const inSeconds = (ms: number) => ms / 1000

/** A file with the value under those of its names that are drawn, each in a notation that is drawn. */
function settings<T>(value: fc.Arbitrary<T>, names: Readonly<Record<string, fc.Arbitrary<(value: T) => unknown>>>) {
  return fc
    .tuple(value, fc.subarray(Object.keys(names)), fc.record(names))
    .map(([drawn, chosen, notations]) => chosen.map((name) => [name, notations[name]?.(drawn)] as const))
}
const plain = fc.constant((value: unknown) => value)
const one = (name: string, value: fc.Arbitrary<unknown>) => settings(value, { [name]: plain })

const sizes = fc
  .tuple(size, size)
  .map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }))
  .chain(({ min, max }) =>
    fc.tuple(
      settings(fc.constant(min), {
        ...{ min_pool_size: plain, eni_min_pool_size: plain },
        ...{ 'ipam_config.min_pool_size': plain, 'ip_pool_config.min_pool_size': plain },
      }),
      settings(fc.constant(max), {
        ...{ max_pool_size: plain, eni_max_pool_size: plain },
        ...{ 'ipam_config.max_pool_size': plain, 'ip_pool_config.max_pool_size': plain },
      }),
    ),
  )
  .map((both) => both.flat())

const FILE = fc
  .tuple(
    sizes,
    settings(milliseconds, {
      ...{ idle_ip_reclaim_after: asDuration, 'ipam_config.ip_reclaim_timeout': asDuration },
      'resource_gc.idle_ip_ttl_seconds': fc.constant(inSeconds),
    }),
    settings(milliseconds, {
      ...{ ip_pool_sync_period: asDuration, 'eni_config.eni_gc_interval': asDuration },
      'resource_gc.interval_seconds': fc.constant(inSeconds),
    }),
    settings(fc.boolean(), { eni_pre_warm: plain, 'eni_config.eni_pre_warm': plain }),
    settings(fc.integer({ min: 0, max: 100 }), {
      ...{ ip_reserve_percent: plain, 'ip_allocation_policy.ip_reserve_percent': plain },
    }),
    settings(fc.boolean(), {
      ...{ prefer_eni_with_most_ips: plain, 'ip_allocation_policy.prefer_eni_with_most_ips': plain },
      eni_selection_policy: fc.constant((most: boolean) => (most ? 'most_ips' : 'least_ips')),
    }),
    settings(fc.integer({ min: 1, max: 50 }), {
      ...{ 'ip_warmup.warmup_batch_size': plain, 'ipam_config.pool_replenish_rate': plain },
    }),
    ...['max_eni', 'min_eni', 'max_ips_per_eni', 'pre_attach_eni_count', 'ip_warm_up_size', 'ipv4_prefix_count'].map(
      (name) => one(name, size),
    ),
    one('ip_pool_config.pool_replenish_threshold', size),
    one('ip_pool_config.pool_depletion_threshold', size),
    one('eni_cap_ratio', fc.double({ min: 0, max: 3, noNaN: true })),
    one('eni_cap_shift', fc.integer({ min: -9, max: 9 })),
    one('batch_config.batch_interval_ms', fc.integer({ min: 0, max: 100 })),
    one('batch_config.batch_size', fc.integer({ min: 1, max: 50 })),
    ...['batch_config', 'ip_warmup', 'resource_gc'].map((section) => one(`${section}.enable`, fc.boolean())),
    one('ip_warmup.warmup_interval_seconds', fc.integer({ min: 1, max: 300 })),
    one('idle_ip_reclaim_batch_size', size),
    one('idle_ip_reclaim_jitter_factor', fc.constantFrom(0, 0.1, '0.1', '2')),
    settings(milliseconds, { idle_ip_reclaim_interval: asDuration }),
    one('eni_config.eni_allocate_batch', fc.integer({ min: 1, max: 9 })),
    one('eni_config.eni_max_allocate_retry', fc.integer({ min: 1, max: 9 })),
    one('resource_gc.orphan_eni_ttl_seconds', size),
    one('warm_strategy', fc.constantFrom('fixed', 'adaptive')),
    one('cluster_id', fc.string({ minLength: 1, maxLength: 128 })),
    one('eni_tag_filter', fc.dictionary(fc.string(), fc.string())),
    one('eni_tag_block_list', fc.array(fc.record({ key: fc.string({ minLength: 1 }), value: fc.string() }))),
  )
  .map((lists) => fileOf(lists.flat()))

/** With `section.key` as a key of the section. */
function fileOf(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const file: Record<string, unknown> = {}
  for (const [path, value] of entries) {
    const [section = '', key] = path.split('.')
    file[section] = key === undefined ? value : { ...Object(file[section]), [key]: value }
  }
  return file
}

const quantity = fc.integer({ min: 1, max: 60 })
const TYPE = fc.record({
  ...{ id: fc.constant('ecs.x.large'), eniQuantity: quantity, ipv4PerEni: quantity, ipv6PerEni: fc.nat(60) },
  ...{ eniTotalQuantity: quantity, trunkSupported: fc.boolean(), eriQuantity: fc.constant(0) },
  queues: fc.constant({ primaryEni: 0, secondaryEni: 0, maxPerEni: 0, total: 0 }),
  networkCards: fc.constant([]),
})
const MODE = fc.record({
  kind: fc.constantFrom('shared' as const, 'exclusive' as const, 'member' as const),
  families: fc.constantFrom(['ipv4' as const], ['ipv4' as const, 'ipv6' as const]),
  unit: fc.constantFrom('address' as const, 'prefix' as const),
})
const OVERRIDES = fc.record({ minPool: size, maxPool: size }, { requiredKeys: [] })

test('any keys with valid values are read, and give limits that the node can keep', () => {
  fc.assert(
    fc.property(FILE, TYPE, MODE, OVERRIDES, (file, type, mode, overrides) => {
      const { pool } = parse(file).conf
      expect(pool.minPool).toBeGreaterThanOrEqual(0)
      expect(pool.minPool).toBeLessThanOrEqual(pool.maxPool)
      const limits = limitsOf({ pool: { ...pool, ...mode } }, type, overrides)
      const { minFree, maxFree, minEnis, maxEnis, addressesPerEni, firstFill, minPrefixes } = limits
      const perEni = mode.unit === 'prefix' ? addressesPerEni * 16 : addressesPerEni
      for (const [least, most] of [
        ...[[0, minFree] as const, [minFree, maxFree] as const, [maxFree, maxEnis * perEni] as const],
        ...[[0, minEnis] as const, [minEnis, maxEnis] as const, [maxEnis, 60] as const],
        ...[[0, firstFill] as const, [firstFill, maxEnis * perEni] as const],
        ...[[0, minPrefixes] as const, [minPrefixes, maxEnis * addressesPerEni] as const],
      ]) {
        expect(least).toBeLessThanOrEqual(most)
      }
    }),
    { numRuns: 500 },
  )
})
