/** What is in the way of a plan's new link. */
import { Errno } from './errno.ts'
import { deleteLink, getLink, type Link } from './link.ts'
import { PlanError } from './plan-error.ts'
import { execute } from './plan-requests.ts'
import type { NetlinkSocket } from './socket.ts'

interface Side {
  readonly socket: NetlinkSocket
  /** For messages. */
  readonly where: string
}

/** @throws PlanError `ifindex-taken` */
export function requireIndexFree(ifindex: number, { socket, where, request }: Side & { request: string }): void {
  const link = getLink(socket, ifindex)
  if (link === undefined) return
  throw new PlanError({ code: 'ifindex-taken', where, request, reason: `ifindex ${ifindex} belongs to ${link.name}` })
}

/** @throws PlanError */
export function discardLink({ ifindex }: Link, { socket, where }: Side): void {
  // ENODEV: it was being deleted already.
  execute(socket, where, [{ request: deleteLink(ifindex), accept: ({ errno }) => errno === Errno.ENODEV }])
}
