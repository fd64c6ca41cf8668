/** Names and texts of the kernel's error numbers. */
import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'

const NAMES = new Map<number, string>()
for (const [name, errno] of Object.entries(constants.errno)) {
  // Some numbers have two names (EAGAIN and EWOULDBLOCK, EOPNOTSUPP and ENOTSUP): the kernel's own is the one wanted.
  if (name !== 'EWOULDBLOCK' && name !== 'ENOTSUP') NAMES.set(errno, name)
}

/** `ENODEV` for 19; `errno 524` for a number without a public name (the kernel's ENOTSUPP leaks that way). */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`
}

/** Made anew by Node at each call. */
const TEXTS = getSystemErrorMap()

/** `no such device` for 19; empty when the number has no text. */
export function errnoText(errno: number): string {
  return TEXTS.get(-errno)?.[1] ?? ''
}

/** Numbers the code itself compares with (include/uapi/asm-generic/errno*.h). */
export const Errno = {
  EPERM: constants.errno.EPERM,
  ENOENT: constants.errno.ENOENT,
  ESRCH: constants.errno.ESRCH,
  EINTR: constants.errno.EINTR,
  EAGAIN: constants.errno.EAGAIN,
  EBUSY: constants.errno.EBUSY,
  EEXIST: constants.errno.EEXIST,
  ENODEV: constants.errno.ENODEV,
  EINVAL: constants.errno.EINVAL,
  ERANGE: constants.errno.ERANGE,
  EBADF: constants.errno.EBADF,
  EBADMSG: constants.errno.EBADMSG,
  EADDRNOTAVAIL: constants.errno.EADDRNOTAVAIL,
  EOPNOTSUPP: constants.errno.EOPNOTSUPP,
  ENOPROTOOPT: constants.errno.ENOPROTOOPT,
  EPROTONOSUPPORT: constants.errno.EPROTONOSUPPORT,
  EAFNOSUPPORT: constants.errno.EAFNOSUPPORT,
  ENOBUFS: constants.errno.ENOBUFS,
  ETIMEDOUT: constants.errno.ETIMEDOUT,
} as const
