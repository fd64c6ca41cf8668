/**
 * What the environment of a CNI call must look like. The plugin checks it before it calls the daemon and the daemon
 * checks it again, since these values become paths, link names and keys there.
 */
import { normalize } from 'node:path/posix'
import { type LinkName, parseLinkName } from '../inet/link-name.ts'
import { CniError, CniErrorCode } from './cni-error.ts'

declare const brand: unique symbol
export type ContainerId = string & { readonly [brand]: 'ContainerId' }
export type NetnsPath = string & { readonly [brand]: 'NetnsPath' }

/** The variables as found; an absent one is the empty string. */
export interface CniEnvironment {
  /** CNI_CONTAINERID */
  readonly containerId: string
  /** CNI_NETNS */
  readonly netns: string
  /** CNI_IFNAME */
  readonly ifname: string
}

/** Where ADD and CHECK work. */
export interface Attachment {
  readonly containerId: ContainerId
  readonly netns: NetnsPath
  readonly ifname: LinkName
}

/** What DEL removes. The namespace may be gone, and then the runtime does not name it. */
export interface Detachment {
  readonly containerId: ContainerId
  readonly netns: NetnsPath | undefined
  readonly ifname: LinkName
}

/** CNI specification 1.1, "Parameters". */
const CONTAINER_ID = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/
/**
 * The specification sets no length. `NAME_MAX` of linux/limits.h is the longest that can work: libcni names a file
 * after the id. Real ones have 64 characters.
 */
export const CONTAINER_ID_MAX = 255
/** `PATH_MAX` of linux/limits.h without the terminating zero. */
const NETNS_MAX = 4095
/** `NAME_MAX` of linux/limits.h. */
const PATH_COMPONENT_MAX = 255

/** The text is not what the named variable may hold. */
class VariableError extends Error {
  override readonly name = 'VariableError'
}

function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text)
}

function containerIdOf(text: string): ContainerId {
  if (text.length > CONTAINER_ID_MAX) {
    throw new VariableError(`container id of ${text.length} characters, at most ${CONTAINER_ID_MAX} are allowed`)
  }
  if (!CONTAINER_ID.test(text)) {
    throw new VariableError(
      `container id ${quote(text)} must be letters, digits, "_", "." and "-", the first not a sign`,
    )
  }
  return text as ContainerId
}

function netnsOf(text: string): NetnsPath {
  if (Buffer.byteLength(text) > NETNS_MAX) {
    throw new VariableError(`path of ${Buffer.byteLength(text)} bytes, at most ${NETNS_MAX} are allowed`)
  }
  // Whitespace is legal in a path, but no runtime puts it there and it would split a log line or a shell word.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
  if (/[\s\u0000-\u001f\u007f]/.test(text)) {
    throw new VariableError(`path ${quote(text)} holds whitespace or a control character`)
  }
  if (!text.startsWith('/') || normalize(text) !== text || text.endsWith('/')) {
    throw new VariableError(`path ${quote(text)} must be absolute, without ".", "..", "//" or "/" at the end`)
  }
  if (text.split('/').some((part) => Buffer.byteLength(part) > PATH_COMPONENT_MAX)) {
    throw new VariableError(`path ${quote(text)} has a component of more than ${PATH_COMPONENT_MAX} bytes`)
  }
  return text as NetnsPath
}

/** Reads the variables one by one and keeps what is wrong with each, so that all of it is said at once. */
class Reader {
  readonly #missing: string[] = []
  readonly #invalid: string[] = []

  read<Value>(name: string, text: string, parse: (text: string) => Value): Value | undefined {
    if (text === '') {
      this.#missing.push(name)
      return undefined
    }
    try {
      return parse(text)
    } catch (cause) {
      if (!(cause instanceof Error)) throw cause
      this.#invalid.push(`${name}: ${cause.message}`) // reported by error() with the others
      return undefined
    }
  }

  error(): CniError {
    const problems = [...this.#invalid]
    if (this.#missing.length > 0) problems.unshift(`missing: ${this.#missing.join(', ')}`)
    return new CniError({
      code: CniErrorCode.invalidEnvironment,
      reason: 'environment-invalid',
      text: problems.join('; '),
      details: 'the container runtime must set these variables as the CNI specification demands',
    })
  }
}

/**
 * The environment of ADD and CHECK.
 * @throws CniError 4 that names every missing and every invalid variable.
 */
export function parseAttachment(raw: CniEnvironment): Attachment {
  const reader = new Reader()
  const containerId = reader.read('CNI_CONTAINERID', raw.containerId, containerIdOf)
  const netns = reader.read('CNI_NETNS', raw.netns, netnsOf)
  const ifname = reader.read('CNI_IFNAME', raw.ifname, parseLinkName)
  if (containerId === undefined || netns === undefined || ifname === undefined) throw reader.error()
  return { containerId, netns, ifname }
}

/**
 * The environment of DEL: as for ADD, but CNI_NETNS may be missing or empty.
 * @throws CniError 4 that names every missing and every invalid variable.
 */
export function parseDetachment(raw: CniEnvironment): Detachment {
  const reader = new Reader()
  const containerId = reader.read('CNI_CONTAINERID', raw.containerId, containerIdOf)
  const netns = raw.netns === '' ? '' : reader.read('CNI_NETNS', raw.netns, netnsOf)
  const ifname = reader.read('CNI_IFNAME', raw.ifname, parseLinkName)
  if (containerId === undefined || netns === undefined || ifname === undefined) throw reader.error()
  return { containerId, netns: netns === '' ? undefined : netns, ifname }
}

/**
 * A container id and interface name that came from elsewhere than the environment, such as the list of GC.
 * @throws Error that says what is wrong with either.
 */
export function parseAttachmentKey(key: { readonly containerId: string; readonly ifname: string }): {
  readonly containerId: ContainerId
  readonly ifname: LinkName
} {
  return { containerId: containerIdOf(key.containerId), ifname: parseLinkName(key.ifname) }
}
