/**
 * libc, called in process: the only file that knows the FFI library.
 *
 * Every function throws SystemCallError. A wrong prototype crashes the process, so all of them are here. Types are
 * anonymous: a named one could not be declared twice when a test runner loads this module again.
 */
import koffi from 'koffi'
import { Errno } from './errno.ts'
import { SystemCallError } from './error.ts'

const libc = koffi.load('libc.so.6')

const c = {
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  bind: libc.func('int bind(int fd, void *address, uint32_t length)'),
  listen: libc.func('int listen(int fd, int backlog)'),
  getsockname: libc.func('int getsockname(int fd, void *address, void *length)'),
  setsockopt: libc.func('int setsockopt(int fd, int level, int name, void *value, uint32_t length)'),
  sendto: libc.func('intptr_t sendto(int fd, void *data, size_t length, int flags, void *to, uint32_t toLength)'),
  recvfrom: libc.func('intptr_t recvfrom(int fd, void *data, size_t length, int flags, void *from, void *fromLength)'),
  close: libc.func('int close(int fd)'),
  setns: libc.func('int setns(int fd, int type)'),
  unshare: libc.func('int unshare(int flags)'),
  mount: libc.func('int mount(str source, str target, str type, unsigned long flags, void *data)'),
  umount2: libc.func('int umount2(str target, int flags)'),
  ioctl: libc.func('int ioctl(int fd, unsigned long request, ...)'),
}

/** linux/socket.h, asm-generic/socket.h, linux/netlink.h, linux/sched.h, linux/mount.h, linux/nsfs.h */
export const AF_INET = 2
export const AF_INET6 = 10
export const AF_NETLINK = 16
export const SOCK_STREAM = 1
export const SOCK_RAW = 3
export const SOCK_CLOEXEC = 0o2000000
export const SOL_SOCKET = 1
export const SO_REUSEADDR = 2
export const SO_RCVTIMEO = 20
export const SO_SNDBUFFORCE = 32
export const SO_RCVBUFFORCE = 33
export const SOL_NETLINK = 270
export const MSG_PEEK = 0x2
export const MSG_TRUNC = 0x20
export const MSG_DONTWAIT = 0x40
export const CLONE_NEWNET = 0x40000000
export const MS_BIND = 0x1000
export const MS_REC = 0x4000
export const MS_SHARED = 0x100000
export const MNT_DETACH = 2
/** `_IO(0xb7, 3)` */
export const NS_GET_NSTYPE = 0xb703

function check(call: string, result: number): number {
  if (result < 0) throw new SystemCallError(call, koffi.errno())
  return result
}

export function socket(options: { domain: number; type: number; protocol: number }): number {
  return check('socket', c.socket(options.domain, options.type | SOCK_CLOEXEC, options.protocol))
}

export function bind(fd: number, address: Buffer): void {
  check('bind', c.bind(fd, address, address.length))
}

export function listen(fd: number, backlog: number): void {
  check('listen', c.listen(fd, backlog))
}

/** Fills the buffer with the socket's own address. */
export function getsockname(fd: number, address: Buffer): void {
  check('getsockname', c.getsockname(fd, address, Buffer.from(Uint32Array.of(address.length).buffer)))
}

export function setsockopt(fd: number, option: { level: number; name: number; value: Buffer }): void {
  check('setsockopt', c.setsockopt(fd, option.level, option.name, option.value, option.value.length))
}

/** Sends one datagram; retried when a signal interrupts it before anything was done. */
export function sendto(fd: number, data: Buffer, to: Buffer): void {
  for (;;) {
    const sent: number = c.sendto(fd, data, data.length, 0, to, to.length)
    if (sent >= 0) return
    if (koffi.errno() !== Errno.EINTR) check('send', sent)
  }
}

/**
 * The same from a thread of libuv's pool, for requests that keep the kernel busy for long. One call per socket at a
 * time. Rejects with SystemCallError.
 */
export function sendtoInPool(fd: number, data: Buffer, to: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    c.sendto.async(fd, data, data.length, 0, to, to.length, (error: unknown, sent: number) => {
      if (error !== null && error !== undefined) reject(error)
      else if (sent < 0) reject(new SystemCallError('send', koffi.errno()))
      else resolve()
    })
  })
}

/**
 * Receives one datagram into `data` and the sender's address into `from`.
 * @returns the length of the datagram, which is more than `data.length` when it did not fit and MSG_TRUNC was given;
 *   `undefined` when there is none (MSG_DONTWAIT) or none came in time (SO_RCVTIMEO).
 */
export function recvfrom(fd: number, data: Buffer, options: { from: Buffer; flags: number }): number | undefined {
  const length = Buffer.from(Uint32Array.of(options.from.length).buffer)
  for (;;) {
    const received: number = c.recvfrom(fd, data, data.length, options.flags, options.from, length)
    if (received >= 0) return received
    const errno = koffi.errno()
    if (errno === Errno.EAGAIN) return undefined
    if (errno !== Errno.EINTR) throw new SystemCallError('recv', errno)
  }
}

/**
 * The same on a thread of libuv's pool, for answers that the kernel puts together when they are received. Neither buffer
 * may be touched before the promise settles. Rejects with SystemCallError.
 */
export async function recvfromInPool(
  fd: number,
  data: Buffer,
  options: { from: Buffer; flags: number },
): Promise<number | undefined> {
  for (;;) {
    const { received, errno } = await recvfromOnce(fd, data, options)
    if (received >= 0) return received
    if (errno === Errno.EAGAIN) return undefined
    if (errno !== Errno.EINTR) throw new SystemCallError('recv', errno)
  }
}

function recvfromOnce(
  fd: number,
  data: Buffer,
  { from, flags }: { from: Buffer; flags: number },
): Promise<{ received: number; errno: number }> {
  const length = Buffer.from(Uint32Array.of(from.length).buffer)
  return new Promise((resolve, reject) => {
    c.recvfrom.async(fd, data, data.length, flags, from, length, (error: unknown, received: number) => {
      if (error !== null && error !== undefined) reject(error)
      else resolve({ received, errno: koffi.errno() })
    })
  })
}

export function close(fd: number): void {
  check('close', c.close(fd))
}

/** Moves the calling thread into the namespace. */
export function setns(fd: number, type: number): void {
  check('setns', c.setns(fd, type))
}

/** Moves the calling thread into a new namespace. */
export function unshare(flags: number): void {
  check('unshare', c.unshare(flags))
}

export function mount(options: { source: string; target: string; flags: number }): void {
  check(`mount ${options.target}`, c.mount(options.source, options.target, 'none', options.flags, null))
}

export function unmount(target: string, flags: number): void {
  check(`umount ${target}`, c.umount2(target, flags))
}

/** An ioctl without argument; its result. */
export function ioctl(fd: number, request: number): number {
  return check('ioctl', c.ioctl(fd, request))
}
