/** A plan could not be carried out. */
import { Errno } from './errno.ts'
import { NetlinkError } from './error.ts'
import { lacksTcKind } from './tc-support.ts'

/**
 * - `ifindex-taken`: an index the planner chose belongs to another link; plan again with a free one
 * - `name-taken`: a link of a wanted name is not this plan's nor of its kind; whoever made it has to remove it
 * - `vlan-taken`: another link has the VLAN id on the trunk, in whatever namespace; take another ENI, or find that pod
 * - `qdisc-taken`: somebody else's qdisc, with filters perhaps, has the place; delete it, or choose a datapath and
 *   features that do without
 * - `eni-gone`: the link of the ENI does not exist on the node any more; look at the ENI, take another one
 * - `mtu`: the device does not allow the MTU, most of all one above its parent's; plan with a smaller one
 * - `unsupported`: this kernel lacks a kind of link, qdisc, filter or action; load the module that the message names, or
 *   choose a datapath that does without
 * - `netns`: the pod's namespace cannot be opened or entered
 * - `sysctl`: a sysctl cannot be written
 * - `refused`: the kernel refused a request for another reason; `cause` is the NetlinkError
 * - `invalid`: the plan contradicts itself
 */
export type PlanErrorCode =
  | 'ifindex-taken'
  | 'name-taken'
  | 'vlan-taken'
  | 'qdisc-taken'
  | 'eni-gone'
  | 'mtu'
  | 'unsupported'
  | 'netns'
  | 'sysctl'
  | 'refused'
  | 'invalid'

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

/** What the kernel said, without what it was asked. */
function reasonOf(error: NetlinkError): string {
  const prefix = `${error.request}: `
  return error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message
}

/** Of dev_validate_mtu (net/core/dev.c), which all devices share, and of a vlan, which must fit its parent. */
function isAboutMtu({ errno, extack }: NetlinkError): boolean {
  return errno === Errno.ERANGE || (errno === Errno.EINVAL && extack?.startsWith('mtu ') === true)
}

/** Wraps what the kernel answered. `modules` are those that the request needs. */
export function refused(where: string, error: NetlinkError, modules: readonly string[] = []): PlanError {
  const { request } = error
  if (modules.length > 0 && lacksTcKind(error)) {
    const reason = `this kernel lacks a module (${modules.join(', ')}): ${reasonOf(error)}`
    return new PlanError({ code: 'unsupported', where, request, reason, cause: error })
  }
  const code = isAboutMtu(error) ? 'mtu' : 'refused'
  return new PlanError({ code, where, request, reason: reasonOf(error), cause: error })
}

interface Context {
  readonly where: string
  readonly modules?: readonly string[]
}

/** Runs what asks the kernel by itself. @throws PlanError in place of NetlinkError */
export function asPlanError<T>({ where, modules }: Context, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof NetlinkError ? refused(where, error, modules) : error
  }
}

/** An ENI that the plan builds on is not there; `cause` is what the kernel said when it was asked. */
export function eniGone(where: string, options: { request: string; reason: string; cause?: unknown }): PlanError {
  return new PlanError({ code: 'eni-gone', where, ...options })
}
