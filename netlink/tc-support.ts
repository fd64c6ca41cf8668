/** What refusals of traffic control, and of new links, mean. */
import { Errno } from './errno.ts'
import type { NetlinkError } from './error.ts'

/**
 * What the kernel says of a kind it does not have, nor a module for. Elsewhere these numbers mean something else: an
 * object that is not there, a change that a driver does not know.
 */
const LACKING: ReadonlyMap<number, RegExp> = new Map([
  // qdisc_create(), tcf_proto_lookup_ops(), tc_action_load_ops()
  [Errno.ENOENT, /^(Specified qdisc kind is unknown|TC classifier not found|Failed to load TC action module)/],
  // rtnl_newlink()
  [Errno.EOPNOTSUPP, /^Unknown device type/],
])

/**
 * Whether a request that adds a qdisc, a filter with its actions, or a link, failed because this kernel lacks the kind,
 * in which case no other try will do better. Of old kernels, which give no reason, there is only the number to go by.
 */
export function lacksTcKind({ errno, extack }: NetlinkError): boolean {
  const reason = LACKING.get(errno)
  return reason !== undefined && (extack === undefined || reason.test(extack))
}

/**
 * Whether the deletion of a qdisc or filter failed because there is none. ENOENT: not this one; EINVAL: what it hung on
 * has gone, or something of another kind is in its place; ENODEV: the device has gone.
 */
export function isAbsent({ errno }: NetlinkError): boolean {
  return errno === Errno.ENOENT || errno === Errno.EINVAL || errno === Errno.ENODEV
}
