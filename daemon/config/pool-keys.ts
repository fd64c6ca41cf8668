/** The keys of eni_conf that concern the pool, of the users' documents and of the original, and what each may hold. */
import { z } from 'zod'
import { duration, seconds } from './duration.ts'
import { MODE_KEYS } from './mode.ts'
import { withoutUnset } from './unset.ts'

/** A pod waits this long for others at most, ms: more would cost it more than the calls that are saved. */
const LONGEST_WAIT = 100

const text = z.string('must be a string')
const flag = z.boolean('must be true or false').optional()
const whole = z.int('must be a whole number')
const count = whole.min(0, 'must not be negative').optional()
const atLeastOne = whole.min(1, 'must be at least 1').optional()
const percent = z.number('must be a number').min(0, 'must not be negative').max(100, 'must be at most 100').optional()
const number = z.number('must be a number').min(0, 'must not be negative')
/** The original has this one as a text, since its configuration has no fractions. */
const fraction = z.union([number, text.regex(/^\d+(?:\.\d+)?$/).transform(Number)], 'must be a number like 0.1')
const tag = z.object({ key: text.min(1, 'must not be empty'), value: text })

/** Keys that hold keys of their own. */
export const POOL_SECTIONS = {
  ip_pool_config: section({
    ...{ min_pool_size: count, max_pool_size: count },
    ...{ pool_replenish_threshold: count, pool_depletion_threshold: count },
  }),
  ipam_config: section({
    ...{ min_pool_size: count, max_pool_size: count, pool_replenish_rate: atLeastOne },
    ip_reclaim_timeout: duration.optional(),
  }),
  eni_config: section({
    ...{ eni_pre_warm: flag, eni_allocate_batch: atLeastOne, eni_max_allocate_retry: atLeastOne },
    eni_gc_interval: duration.optional(),
  }),
  ip_allocation_policy: section({ prefer_eni_with_most_ips: flag, ip_reserve_percent: percent }),
  ip_warmup: section({ enable: flag, warmup_interval_seconds: pause(seconds), warmup_batch_size: atLeastOne }),
  resource_gc: section({
    ...{ enable: flag, interval_seconds: seconds.optional() },
    ...{ idle_ip_ttl_seconds: seconds.optional(), orphan_eni_ttl_seconds: seconds.optional() },
  }),
  batch_config: section({
    ...{ enable: flag, batch_size: atLeastOne },
    batch_interval_ms: number
      .max(LONGEST_WAIT, `must be at most ${LONGEST_WAIT}: a pod must not wait longer for others`)
      .optional(),
  }),
}

const SECTIONS = {
  ip_pool_config: unsettable(POOL_SECTIONS.ip_pool_config),
  ipam_config: unsettable(POOL_SECTIONS.ipam_config),
  eni_config: unsettable(POOL_SECTIONS.eni_config),
  ip_allocation_policy: unsettable(POOL_SECTIONS.ip_allocation_policy),
  ip_warmup: unsettable(POOL_SECTIONS.ip_warmup),
  resource_gc: unsettable(POOL_SECTIONS.resource_gc),
  batch_config: unsettable(POOL_SECTIONS.batch_config),
}

export const POOL_KEYS = {
  ...MODE_KEYS,
  ...SECTIONS,
  ...{ min_pool_size: count, max_pool_size: count, eni_min_pool_size: count, eni_max_pool_size: count },
  ...{ min_eni: count, max_eni: count, max_ips_per_eni: count, eni_cap_ratio: number.optional() },
  ...{ eni_cap_shift: whole.optional(), pre_attach_eni_count: count, eni_pre_warm: flag, ip_warm_up_size: count },
  ...{ ip_reserve_percent: percent, prefer_eni_with_most_ips: flag },
  eni_selection_policy: z.enum(['most_ips', 'least_ips'], 'must be one of most_ips, least_ips').optional(),
  warm_strategy: z.enum(['fixed', 'adaptive'], 'must be one of fixed, adaptive').optional(),
  ip_pool_sync_period: duration.optional(),
  ...{ idle_ip_reclaim_after: duration.optional(), idle_ip_reclaim_interval: pause(duration) },
  ...{ idle_ip_reclaim_batch_size: count, idle_ip_reclaim_jitter_factor: fraction.optional() },
  ipv4_prefix_count: count,
  cluster_id: text.max(128, 'must be at most 128 characters: it is the value of a tag').optional(),
  eni_tag_filter: z.record(text, text, 'must be an object').optional(),
  eni_tag_block_list: z.array(tag, 'must be a list of {"key": …, "value": …}').optional(),
}
const SCHEMA = z.object(POOL_KEYS)
export type RawPool = z.infer<typeof SCHEMA>

function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.object(shape, 'must be an object')
}

function unsettable<Section extends z.ZodType>(one: Section) {
  return z.preprocess(withoutUnset, one).optional()
}

/** ms between two rounds of work, which without any would go round without end. */
function pause(schema: z.ZodType<number>) {
  return schema.refine((ms) => ms > 0, 'must be above 0').optional()
}
