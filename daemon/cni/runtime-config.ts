/** `runtimeConfig`: what the runtime adds to the configuration for one sandbox, by the plugin's capabilities. */
import { z } from 'zod'

/** containerd's and CRI-O's capability for all annotations of the pod. */
export const POD_ANNOTATIONS = 'io.kubernetes.cri.pod-annotations'

/** Rates in bits per second, bursts in bits; undefined means no limit. Values may exceed 32 bits. */
export interface Bandwidth {
  readonly ingressRate: number | undefined
  readonly ingressBurst: number | undefined
  readonly egressRate: number | undefined
  readonly egressBurst: number | undefined
}

export interface RuntimeConfig {
  readonly bandwidth: Bandwidth
  /** Of the pod; empty when the runtime gives none. */
  readonly annotations: Readonly<Record<string, string>>
}

const must = (what: string) => ({ error: `must be ${what}` })
const AMOUNT = must('a number of at least 0')
const amount = z.number(AMOUNT).nonnegative(AMOUNT).nullish()

const GIVEN = z
  .object(
    {
      bandwidth: z
        .object(
          { ingressrate: amount, ingressburst: amount, egressrate: amount, egressburst: amount },
          must('an object'),
        )
        .nullish(),
      [POD_ANNOTATIONS]: z.record(z.string(), z.string(must('a string')), must('an object')).nullish(),
    },
    must('an object'),
  )
  .nullish()

/** Keys of other capabilities (`portMappings`, `dns`, …) belong to other plugins and are ignored. */
export const RUNTIME_CONFIG = z.preprocess(lowerCaseKeys, GIVEN).transform((given): RuntimeConfig => {
  const bandwidth = given?.bandwidth
  return {
    bandwidth: {
      ingressRate: bandwidth?.ingressrate || undefined,
      ingressBurst: bandwidth?.ingressburst || undefined,
      egressRate: bandwidth?.egressrate || undefined,
      egressBurst: bandwidth?.egressburst || undefined,
    },
    annotations: given?.[POD_ANNOTATIONS] ?? {},
  }
})

/**
 * containerd writes the keys of `runtimeConfig` as its Go structs spell them (`IngressRate`), CRI-O as the
 * specification does (`ingressRate`); Go's own decoder takes both. The keys of annotations are data and stay.
 */
export function lowerCaseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowerCaseKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const key = name.toLowerCase()
      return [key, key === POD_ANNOTATIONS ? item : lowerCaseKeys(item)]
    }),
  )
}
