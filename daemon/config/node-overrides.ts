/** Annotations of the node that change the size of its pool while the daemon runs. */
import type { PoolConf } from './pool-conf.ts'

export interface PoolOverrides {
  readonly minPool?: number
  readonly maxPool?: number
}

export interface NodeOverrides {
  readonly overrides: PoolOverrides
  /** For the log and an event of the node: what is wrong, and what holds instead. */
  readonly problems: readonly string[]
}

const MAX_POOL = 'k8s.aliyun.com/eni-max-pool-size'
const MIN_POOL = 'k8s.aliyun.com/eni-min-pool-size'

/** A size that is none leaves that of eni_conf. Other settings take effect at a start only. */
export function nodeOverrides(
  annotations: Readonly<Record<string, string>>,
  pool: Pick<PoolConf, 'minPool' | 'maxPool'>,
): NodeOverrides {
  const problems: string[] = []
  const minPool = sizeOf(annotations, MIN_POOL, problems)
  const maxPool = sizeOf(annotations, MAX_POOL, problems)
  const min = { name: minPool === undefined ? 'min_pool_size' : MIN_POOL, size: minPool ?? pool.minPool }
  const max = { name: maxPool === undefined ? 'max_pool_size' : MAX_POOL, size: maxPool ?? pool.maxPool }
  const lowered = min.size > max.size
  if (lowered) problems.push(`${min.name} ${min.size} exceeds ${max.name} ${max.size} and is lowered to it`)
  return {
    overrides: {
      ...(minPool === undefined && !lowered ? {} : { minPool: Math.min(min.size, max.size) }),
      ...(maxPool === undefined ? {} : { maxPool }),
    },
    problems,
  }
}

function sizeOf(annotations: Readonly<Record<string, string>>, name: string, problems: string[]): number | undefined {
  const text = Object.hasOwn(annotations, name) ? annotations[name] : undefined
  if (text === undefined) return undefined
  const size = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(size)) return size
  problems.push(`annotation ${name} must be a whole number, not ${JSON.stringify(text.slice(0, 40))}; it has no effect`)
  return undefined
}
