/** The few keys of the network configuration that the plugin itself needs; the daemon decodes the rest. */
import { normalize } from 'node:path/posix'
import { CniError, CniErrorCode } from '../proto/cni-error.ts'
import { type CniVerb, NEWEST_CNI_VERSION, parseCniVersion } from '../proto/cni-version.ts'
import { DEFAULT_SOCKET, DEFAULT_SPOOL_DIRECTORY } from '../proto/paths.ts'

export interface PluginConfig {
  /** `daemon_socket`: path of the daemon's socket. */
  readonly socket: string
  /** `spool_dir`: where a DEL waits for a daemon that does not run. */
  readonly spoolDirectory: string
}

/** `sun_path` of linux/un.h without the terminating zero. */
const SOCKET_PATH_MAX = 107
/** `PATH_MAX` of linux/limits.h, less the terminating zero and the name of a spool file. */
const DIRECTORY_MAX = 4000
const FILE_DETAILS = 'correct the CNI configuration file of the network'

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('the network configuration must be a JSON object')
  }
  return { ...value }
}

function invalid(text: string): CniError {
  return new CniError({ code: CniErrorCode.invalidConfig, reason: 'config-invalid', text, details: FILE_DETAILS })
}

function pathOf(
  value: unknown,
  rule: { readonly key: string; readonly fallback: string; readonly max: number },
): string {
  if (value === undefined || value === null || value === '') return rule.fallback
  const found = JSON.stringify(value).slice(0, 64)
  if (typeof value !== 'string') throw invalid(`${rule.key} must be a string, not ${found}`)
  if (!value.startsWith('/') || normalize(value) !== value || value.includes('\0')) {
    throw invalid(`${rule.key} must be an absolute path without "." and "..", not ${found}`)
  }
  if (Buffer.byteLength(value) > rule.max)
    throw invalid(`${rule.key} must have at most ${rule.max} bytes, not ${found}`)
  return value
}

/**
 * @throws CniError 6 when the bytes are not JSON, 1 when the version is not supported or lacks the verb, 7 when
 * `cniVersion`, `daemon_socket` or `spool_dir` has a wrong value.
 */
export function parseConfig(bytes: Uint8Array, verb: CniVerb): PluginConfig {
  let config: Readonly<Record<string, unknown>>
  try {
    config = parseObject(bytes)
  } catch (cause) {
    if (cause instanceof CniError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new CniError({
      code: CniErrorCode.decodeFailure,
      reason: 'config-malformed',
      text: `the network configuration is not JSON: ${why}`,
      details: FILE_DETAILS,
      cause,
    })
  }
  const { cniVersion = '', daemon_socket, spool_dir } = config
  if (typeof cniVersion !== 'string') throw invalid(`cniVersion must be a string, not ${JSON.stringify(cniVersion)}`)
  parseCniVersion(cniVersion, verb)
  return {
    socket: pathOf(daemon_socket, { key: 'daemon_socket', fallback: DEFAULT_SOCKET, max: SOCKET_PATH_MAX }),
    spoolDirectory: pathOf(spool_dir, { key: 'spool_dir', fallback: DEFAULT_SPOOL_DIRECTORY, max: DIRECTORY_MAX }),
  }
}

/**
 * The `cniVersion` of an error: the one the configuration states (specification, "Error"), even when it is the reason
 * of the error; the newest when none can be found.
 */
export function statedVersion(bytes: Uint8Array): string {
  try {
    const { cniVersion } = parseObject(bytes)
    return typeof cniVersion === 'string' && cniVersion !== '' ? cniVersion : NEWEST_CNI_VERSION
  } catch {
    return NEWEST_CNI_VERSION // asked for only while an error is reported, this one or another
  }
}
