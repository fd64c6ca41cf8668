/**
 * A DEL that the daemon could not take: the plugin leaves it in a directory on tmpfs and reports success, the daemon
 * carries it out later. One file per container and interface, so repeating a DEL does not pile up files.
 */
import { createHash } from 'node:crypto'

export { DEFAULT_SPOOL_DIRECTORY } from './paths.ts'

/** Format of the file's content; another number means another, unknown format. */
const SPOOL_VERSION = 1

/** The variables and the input of the DEL, as the runtime gave them. */
export interface SpooledDel {
  readonly containerId: string
  /** Empty when the runtime named none. */
  readonly netns: string
  readonly ifname: string
  readonly args: string
  readonly config: Uint8Array
  /** ms since the epoch. */
  readonly spooledAt: number
}

/** The content of a spool file cannot be understood. */
export class SpoolError extends Error {
  override readonly name = 'SpoolError'
}

/** Name of the file within the spool directory. A hash, because the id is not ours and may be as long as a name can be. */
export function spoolFileName(key: { readonly containerId: string; readonly ifname: string }): string {
  return `${createHash('sha256').update(`${key.containerId}\0${key.ifname}`).digest('hex')}.json`
}

/** True for the name of a finished spool file; anything else in the directory is what a killed plugin left half written. */
export function isSpoolFileName(name: string): boolean {
  return /^[0-9a-f]{64}\.json$/.test(name)
}

export function encodeSpooledDel(del: SpooledDel): string {
  return `${JSON.stringify({ version: SPOOL_VERSION, ...del, config: Buffer.from(del.config).toString('base64') })}\n`
}

/** @throws SpoolError that says what is wrong with the content. */
export function decodeSpooledDel(content: string): SpooledDel {
  const value = parseObject(content)
  if (value.version !== SPOOL_VERSION) {
    throw new SpoolError(`version must be ${SPOOL_VERSION}, not ${JSON.stringify(value.version)}`)
  }
  const text = (key: string): string => {
    const field = value[key]
    if (typeof field !== 'string') throw new SpoolError(`${key} must be a string`)
    return field
  }
  if (typeof value.spooledAt !== 'number') throw new SpoolError('spooledAt must be a number')
  return {
    containerId: text('containerId'),
    netns: text('netns'),
    ifname: text('ifname'),
    args: text('args'),
    config: Buffer.from(text('config'), 'base64'),
    spooledAt: value.spooledAt,
  }
}

function parseObject(content: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch (cause) {
    throw new SpoolError('not JSON', { cause })
  }
  if (typeof value !== 'object' || value === null) throw new SpoolError('not a JSON object')
  return { ...value }
}
