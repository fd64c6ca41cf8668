/** A plan could not be carried out. */
import type { NetlinkError } from './error.ts'

/**
 * - `ifindex-taken`: an index the planner chose belongs to another link; plan again with a free one
 * - `name-taken`: the pod's namespace already has a link of the pod's interface name that is not this plan's
 * - `netns`: the pod's namespace cannot be opened or entered
 * - `sysctl`: a sysctl cannot be written
 * - `refused`: the kernel refused a request; `cause` is the NetlinkError
 * - `invalid`: the plan contradicts itself
 */
export type PlanErrorCode = 'ifindex-taken' | 'name-taken' | 'netns' | 'sysctl' | 'refused' | 'invalid'

export interface PlanErrorOptions {
  readonly code: PlanErrorCode
  /** Which namespace: the host, or the pod's by path. */
  readonly where: string
  /** The request that failed, as an operator would write it. */
  readonly request: string
  readonly reason: string
  readonly cause?: unknown
}

export class PlanError extends Error {
  override readonly name = 'PlanError'
  readonly code: PlanErrorCode
  readonly where: string
  readonly request: string

  constructor({ code, where, request, reason, cause }: PlanErrorOptions) {
    super(`${where}: ${request}: ${reason}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.where = where
    this.request = request
  }
}

/** Wraps what the kernel answered. */
export function refused(where: string, error: NetlinkError): PlanError {
  const reason = error.message.startsWith(`${error.request}: `)
    ? error.message.slice(error.request.length + 2)
    : error.message
  return new PlanError({ code: 'refused', where, request: error.request, reason, cause: error })
}
