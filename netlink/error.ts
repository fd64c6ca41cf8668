/** The errors this folder throws. */
import { errnoName, errnoText } from './errno.ts'

export interface NetlinkErrorOptions {
  /** Positive error number. */
  readonly errno: number
  /** What was asked, as an operator would write it: `add route 10.0.1.7/32 dev 12 table 254`. */
  readonly request: string
  /** The kernel's extended acknowledgement, `Nexthop has invalid gateway`. */
  readonly extack?: string
}

/** The kernel refused a request, or the conversation with it broke. */
export class NetlinkError extends Error {
  override readonly name = 'NetlinkError'
  /** `ENODEV` */
  readonly code: string
  readonly errno: number
  readonly request: string
  readonly extack: string | undefined

  constructor({ errno, request, extack }: NetlinkErrorOptions) {
    const reason = [errnoText(errno), extack].filter((text) => text !== undefined && text !== '').join(': ')
    super(`${request}: ${errnoName(errno)}${reason === '' ? '' : ` (${reason})`}`)
    this.code = errnoName(errno)
    this.errno = errno
    this.request = request
    this.extack = extack
  }
}

/** A libc call failed. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError'
  readonly code: string
  readonly errno: number
  readonly call: string

  constructor(call: string, errno: number) {
    super(`${call}: ${errnoName(errno)} (${errnoText(errno)})`)
    this.code = errnoName(errno)
    this.errno = errno
    this.call = call
  }
}

/** What open(2) or the check of the file system says when there is no namespace at a path, and none will come back. */
const NETNS_GONE: readonly string[] = ['ENOENT', 'ENOTDIR', 'ENOTNETNS']

/** True when the error says that a namespace does not exist, false when it only could not be looked at. */
export function isNetnsGone(error: unknown): boolean {
  return error instanceof NetnsError && NETNS_GONE.includes(error.code)
}

/**
 * A network namespace cannot be opened, entered, created or deleted.
 * `code` is the errno name of the cause (`ENOENT`: nothing at the path), `ENOTNETNS` when there is something else, or
 * `EPROMISE` when the closure given to `withNetns` was not synchronous.
 */
export class NetnsError extends Error {
  override readonly name = 'NetnsError'
  readonly code: string
  readonly netns: string

  constructor(message: string, options: { readonly code: string; readonly netns: string; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = options.code
    this.netns = options.netns
  }
}

/** The `code` of an error of Node's own modules, `ENOENT`. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'EUNKNOWN'
}
