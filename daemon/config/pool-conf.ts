/** What eni_conf says of the pool, in whichever dialect, as one value. */
import {
  type Batch,
  DEFAULT_BATCH,
  DEFAULT_IDLE,
  type EniOrder,
  type IdleReclaim,
  type WarmStrategy,
  type WarmUp,
} from '../pool/settings.ts'
import { type Findings, settingOf } from './findings.ts'
import type { Kind, Mode } from './mode.ts'
import type { RawPool } from './pool-keys.ts'

export interface Tag {
  readonly key: string
  readonly value: string
}

/** Not yet bounded by what the instance type allows. */
export interface PoolConf extends Mode {
  /** Free addresses kept ready: so many, and so many as `minPoolEnis` ENIs have. */
  readonly minPool: number
  readonly minPoolEnis: number
  /** Free addresses above this go back. */
  readonly maxPool: number
  /** To be told of when so few addresses or fewer are free. */
  readonly depletedAt: number | undefined
  /** Secondary ENIs at most: a share of what the instance type allows, so many more or fewer, and never above `max`. */
  readonly eniCap: { readonly ratio: number; readonly shift: number; readonly max: number }
  /** ENIs kept attached. */
  readonly minEnis: number
  /** Places of an ENI at most. */
  readonly maxPerEni: number
  /** Of an attachment, before the ENI is given up. */
  readonly attachTries: number
  /** Share of the addresses in use that is kept free besides: 0 to 1. */
  readonly reserve: number
  readonly firstFill: number
  readonly minPrefixes: number
  readonly strategy: WarmStrategy
  readonly order: EniOrder
  readonly batch: Batch
  readonly warmUp: WarmUp | undefined
  readonly idle: IdleReclaim | undefined
  readonly gc: Gc
  /** Tag of new ENIs, under the key `ack.aliyun.com`. */
  readonly clusterId: string | undefined
  /** ENIs without these tags are somebody else's. */
  readonly tagFilter: Readonly<Record<string, string>>
  /** ENIs with one of these tags are somebody else's. */
  readonly blockedTags: readonly Tag[]
}

export interface Gc {
  /** ms between two comparisons with the cloud; undefined for none but those that are asked for. */
  readonly interval: number | undefined
  /** ms for which an ENI must have been an orphan, beside being seen as one twice. */
  readonly orphanTtl: number
}

/** Of the configuration table in the users' documents. */
const DEFAULT_MIN_POOL = 10
const DEFAULT_MAX_POOL = 25
/** An attachment that fails so often in a row will not succeed; with the pauses between them that is some 20 s. */
const DEFAULT_ATTACH_TRIES = 5

/** Of the users' examples: `resource_gc` and `ip_warmup`. ms */
const DEFAULT_GC_INTERVAL = 300_000
const SHORTEST_GC_INTERVAL = 1000
const DEFAULT_WARM_UP: WarmUp = { batch: 10, interval: 60_000 }
/** A rate is one a second. ms */
const RATE_INTERVAL = 1000

/** The original's, whose `idle_ip_reclaim_after` has no default. */
const IDLE_BY_BATCHES: IdleReclaim = { ...DEFAULT_IDLE, interval: 600_000, batch: 5, jitter: 0.1 }

/** ENIs that the original leaves alone, whatever its configuration says. */
const BLOCKED_TAGS: readonly Tag[] = [
  { key: 'creator', value: 'alibabacloud-erdma-controller' },
  { key: 'terway.alibabacloud.com/excluded', value: 'true' },
]

/** In VPC route mode there is no pool: its settings are read and checked, and nobody looks at them. */
export function poolConf(raw: RawPool, { kind, ...mode }: Mode<Kind>, findings: Findings): PoolConf {
  return {
    ...mode,
    kind: kind === 'route' ? 'shared' : kind,
    ...sizesOf(raw, findings),
    ...enisOf(raw, findings),
    reserve: reserveOf(raw, findings),
    firstFill: raw.ip_warm_up_size ?? 0,
    minPrefixes: minPrefixesOf(raw, findings),
    strategy: raw.warm_strategy ?? 'fixed',
    order: orderOf(raw, findings),
    batch: batchOf(raw),
    warmUp: warmUpOf(raw, findings),
    idle: idleOf(raw, findings),
    gc: gcOf(raw, findings),
    clusterId: raw.cluster_id,
    tagFilter: raw.eni_tag_filter ?? {},
    blockedTags: blockedTagsOf(raw),
  }
}

function sizesOf(raw: RawPool, findings: Findings): Pick<PoolConf, 'minPool' | 'maxPool' | 'depletedAt'> {
  const { ip_pool_config: pool, ipam_config: ipam } = raw
  const min = settingOf(
    {
      ...{ min_pool_size: raw.min_pool_size, eni_min_pool_size: raw.eni_min_pool_size },
      ...{ 'ipam_config.min_pool_size': ipam?.min_pool_size, 'ip_pool_config.min_pool_size': pool?.min_pool_size },
    },
    findings,
  )
  const max = settingOf(
    {
      ...{ max_pool_size: raw.max_pool_size, eni_max_pool_size: raw.eni_max_pool_size },
      ...{ 'ipam_config.max_pool_size': ipam?.max_pool_size, 'ip_pool_config.max_pool_size': pool?.max_pool_size },
    },
    findings,
  )
  if (min !== undefined && max !== undefined && min.value > max.value) {
    findings.problems.push(`${min.key} ${min.value} must not exceed ${max.key} ${max.value}`)
  }
  if (min !== undefined && raw.min_eni) findings.warnings.push(`${min.key} has no effect beside min_eni`)
  const replenishAt = pool?.pool_replenish_threshold ?? 0
  const maxPool = max?.value ?? Math.max(DEFAULT_MAX_POOL, min?.value ?? 0, replenishAt)
  const wanted = raw.min_eni ? 0 : (min?.value ?? DEFAULT_MIN_POOL)
  const minPool = Math.min(Math.max(wanted, replenishAt), maxPool)
  return { minPool, maxPool, depletedAt: pool?.pool_depletion_threshold }
}

type EniSettings = Pick<PoolConf, 'eniCap' | 'minPoolEnis' | 'minEnis' | 'maxPerEni' | 'attachTries'>

/** As in the original, 0 stands for the default where none at all could not be meant. */
function enisOf(raw: RawPool, findings: Findings): EniSettings {
  const { min_eni = 0, pre_attach_eni_count = 0, eni_config } = raw
  const preWarm = settingOf(
    { eni_pre_warm: raw.eni_pre_warm, 'eni_config.eni_pre_warm': eni_config?.eni_pre_warm },
    findings,
  )
  return {
    eniCap: {
      ...{ ratio: raw.eni_cap_ratio || 1, shift: raw.eni_cap_shift ?? 0 },
      max: raw.max_eni || Number.POSITIVE_INFINITY,
    },
    minPoolEnis: min_eni,
    minEnis: Math.max(min_eni, pre_attach_eni_count, preWarm?.value === true ? 1 : 0),
    maxPerEni: raw.max_ips_per_eni || Number.POSITIVE_INFINITY,
    attachTries: eni_config?.eni_max_allocate_retry ?? DEFAULT_ATTACH_TRIES,
  }
}

function reserveOf(raw: RawPool, findings: Findings): number {
  const percent = settingOf(
    {
      ip_reserve_percent: raw.ip_reserve_percent,
      'ip_allocation_policy.ip_reserve_percent': raw.ip_allocation_policy?.ip_reserve_percent,
    },
    findings,
  )
  return (percent?.value ?? 0) / 100
}

function minPrefixesOf(raw: RawPool, { warnings }: Findings): number {
  const { ipv4_prefix_count = 0, enable_ip_prefix = false } = raw
  if (ipv4_prefix_count > 0 && !enable_ip_prefix)
    warnings.push('ipv4_prefix_count has no effect without enable_ip_prefix')
  return ipv4_prefix_count
}

function orderOf(raw: RawPool, findings: Findings): EniOrder {
  const policy = raw.ip_allocation_policy
  const mostFirst = settingOf(
    {
      eni_selection_policy:
        raw.eni_selection_policy === undefined ? undefined : raw.eni_selection_policy === 'most_ips',
      prefer_eni_with_most_ips: raw.prefer_eni_with_most_ips,
      'ip_allocation_policy.prefer_eni_with_most_ips': policy?.prefer_eni_with_most_ips,
    },
    findings,
  )
  return mostFirst?.value === false ? 'fewest-pods' : 'most-pods'
}

function batchOf({ batch_config: batch, eni_config: eni }: RawPool): Batch {
  const enis = eni?.eni_allocate_batch ?? DEFAULT_BATCH.enis
  if (batch?.enable === false) return { ...DEFAULT_BATCH, enis, wait: 0 }
  return {
    ...{ enis, addresses: batch?.batch_size ?? DEFAULT_BATCH.addresses },
    wait: batch?.batch_interval_ms ?? DEFAULT_BATCH.wait,
  }
}

function warmUpOf({ ip_warmup, ipam_config: ipam }: RawPool, findings: Findings): WarmUp | undefined {
  const warmUp = ip_warmup?.enable === false ? undefined : ip_warmup
  const batch = settingOf(
    {
      'ip_warmup.warmup_batch_size': warmUp?.warmup_batch_size,
      'ipam_config.pool_replenish_rate': ipam?.pool_replenish_rate,
    },
    findings,
  )
  if (warmUp !== undefined) {
    return {
      batch: batch?.value ?? DEFAULT_WARM_UP.batch,
      interval: warmUp.warmup_interval_seconds ?? DEFAULT_WARM_UP.interval,
    }
  }
  return batch && { batch: batch.value, interval: RATE_INTERVAL }
}

function idleOf(raw: RawPool, findings: Findings): IdleReclaim | undefined {
  const { idle_ip_reclaim_after, idle_ip_reclaim_interval: interval, idle_ip_reclaim_batch_size: batch } = raw
  const jitter = raw.idle_ip_reclaim_jitter_factor
  const after = settingOf(
    {
      idle_ip_reclaim_after,
      'ipam_config.ip_reclaim_timeout': raw.ipam_config?.ip_reclaim_timeout,
      'resource_gc.idle_ip_ttl_seconds': raw.resource_gc?.idle_ip_ttl_seconds,
    },
    findings,
  )
  if (after?.value === 0) return undefined
  const byBatches = [idle_ip_reclaim_after, interval, batch, jitter].some((value) => value !== undefined)
  const base = byBatches ? IDLE_BY_BATCHES : DEFAULT_IDLE
  return {
    ...{ after: after?.value ?? base.after, interval: interval ?? base.interval },
    ...{ batch: batch || base.batch, jitter: jitter ?? base.jitter },
  }
}

function gcOf(raw: RawPool, findings: Findings): Gc {
  const { resource_gc: gc } = raw
  const interval = settingOf(
    {
      'resource_gc.interval_seconds': gc?.interval_seconds,
      ip_pool_sync_period: raw.ip_pool_sync_period,
      'eni_config.eni_gc_interval': raw.eni_config?.eni_gc_interval,
    },
    findings,
  )
  const { key, value } = interval ?? { key: '', value: DEFAULT_GC_INTERVAL }
  if (value > 0 && value < SHORTEST_GC_INTERVAL) findings.problems.push(`${key} must be 0 or at least a second`)
  const off = gc?.enable === false || value === 0
  return { interval: off ? undefined : value, orphanTtl: gc?.orphan_eni_ttl_seconds ?? 0 }
}

function blockedTagsOf({ eni_tag_block_list: list = [] }: RawPool): readonly Tag[] {
  const own = list.filter(({ key, value }) => !BLOCKED_TAGS.some((tag) => tag.key === key && tag.value === value))
  return [...BLOCKED_TAGS, ...own]
}
