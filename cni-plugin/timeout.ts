/** How long the plugin waits for the daemon. */
import { CniError, CniErrorCode } from '../proto/cni-error.ts'

/** Below the two minutes that the kubelet grants to StopPodSandbox, so that the answer still finds a listener. */
const DEFAULT_TIMEOUT_MS = 110_000
const LONGEST_TIMEOUT_MS = 3_600_000

/** Units of Go's time.ParseDuration, in ms. */
const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}
const DURATION = /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/
const PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g

function milliseconds(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  if (!DURATION.test(text)) return Number.NaN
  return [...text.matchAll(PART)].reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (UNIT_MS[unit] ?? 0), 0)
}

/**
 * TERWAY_CNI_TIMEOUT in ms: seconds (`30`) or a duration as Go writes it (`1m30s`); empty means 110 s.
 * @throws CniError 4
 */
export function parseTimeout(text: string): number {
  if (text === '') return DEFAULT_TIMEOUT_MS
  const timeout = Math.ceil(milliseconds(text))
  if (timeout >= 1 && timeout <= LONGEST_TIMEOUT_MS) return timeout
  throw new CniError({
    code: CniErrorCode.invalidEnvironment,
    reason: 'environment-invalid',
    text: `TERWAY_CNI_TIMEOUT: ${JSON.stringify(text.slice(0, 32))} is not a time of at most one hour`,
    details: 'write seconds or a duration like 30, 90s or 1m30s',
  })
}
