/** Errors of the CNI protocol, as the plugin prints them and the daemon sends them. */

/**
 * CNI specification 1.1, section 5: 1 to 99 are its own (50 and 51 only as an answer to STATUS), 100 and above are the
 * plugin's to define. No runtime acts on a particular code, but an operator and a test can tell them apart.
 */
export const CniErrorCode = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  io: 5,
  decodeFailure: 6,
  invalidConfig: 7,
  /** Not in the specification's table; the specification's Go library reports an unusable namespace with it. */
  invalidNetns: 8,
  tryAgainLater: 11,
  unavailable: 50,
  limitedConnectivity: 51,
  /** A fault of Terway itself. */
  internal: 100,
  /** ADD for a container and interface name that has been added already. */
  endpointExists: 101,
  /** The kernel refused a link, address, route, rule or the like. */
  kernelFailure: 102,
  /** CHECK: the kernel does not hold what ADD put there. */
  kernelDiffers: 103,
} as const

export type CniErrorCode = (typeof CniErrorCode)[keyof typeof CniErrorCode]

export interface CniErrorOptions {
  readonly code: CniErrorCode
  /** Stable words to search logs for, in kebab case: `daemon-unreachable`. */
  readonly reason: string
  /** What failed, for whom and why. */
  readonly text: string
  /** What the operator can do about it. */
  readonly details?: string
  readonly cause?: unknown
}

/**
 * The answer to a CNI call that failed. The message is `reason: text`, because a runtime reports the message and
 * nothing else.
 */
export class CniError extends Error {
  override readonly name = 'CniError'
  readonly code: CniErrorCode
  readonly reason: string
  readonly details: string

  constructor({ code, reason, text, details = '', cause }: CniErrorOptions) {
    super(`${reason}: ${text}`, { cause })
    this.code = code
    this.reason = reason
    this.details = details
  }
}
