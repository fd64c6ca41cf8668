/** Which system calls are counted, and under which name. Pure. */
import { type Syscall, targetOf } from './syscalls.ts'

/**
 * Those that a line of ours makes happen. Left out is what V8 and libuv do as the threads of the process meet: futex,
 * epoll_*, io_uring_enter, madvise, mmap, mprotect, munmap, brk, sched_yield, and what asks for the time.
 */
const CLASSES = {
  open: ['open', 'openat', 'openat2'],
  close: ['close', 'close_range'],
  read: ['read', 'readv', 'pread64', 'preadv', 'preadv2', 'getdents64'],
  write: ['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'ftruncate'],
  send: ['sendto', 'sendmsg', 'sendmmsg'],
  receive: ['recvfrom', 'recvmsg', 'recvmmsg'],
  socket: ['socket', 'socketpair', 'connect', 'accept', 'accept4', 'bind', 'listen', 'shutdown'],
  'socket-option': ['setsockopt', 'getsockopt', 'getsockname', 'getpeername'],
  control: ['ioctl', 'fcntl', 'flock'],
  stat: ['stat', 'lstat', 'fstat', 'newfstatat', 'statx', 'statfs', 'fstatfs', 'access', 'faccessat2', 'readlink'],
  name: ['mkdir', 'mkdirat', 'rmdir', 'unlink', 'unlinkat', 'rename', 'renameat', 'renameat2', 'link', 'linkat'],
  namespace: ['setns', 'unshare', 'mount', 'umount2'],
  process: ['execve', 'execveat', 'fork', 'vfork', 'clone', 'clone3', 'wait4', 'waitid'],
  sync: ['fsync', 'fdatasync', 'sync', 'syncfs', 'sync_file_range', 'msync'],
} as const

export type SyscallClass = keyof typeof CLASSES

const CLASS_OF = new Map(
  Object.entries(CLASSES).flatMap(([name, syscalls]) => syscalls.map((one) => [one as string, name as SyscallClass])),
)

/** For `strace --trace=`. Those that this architecture lacks are no error. */
export const TRACED = [...CLASS_OF.keys()].map((name) => `?${name}`).join(',')

/** Threads wake each other through it, as often as they happen to sleep. */
const WAKE = 'anon_inode:[eventfd]'
/** Libraries count the processors in each thread that gets so far before the process ends. */
const PROCESSORS = '/sys/devices/system/cpu'
/** Into how many reads the bytes of a stream fall is a matter of when they come. */
const STREAM = /^(UNIX-STREAM|TCP|TCPv6|pipe):/

/** @returns undefined when it is not to be counted. */
export function classOf(call: Syscall): SyscallClass | undefined {
  const target = targetOf(call)
  if (isLook(call) || target === WAKE || call.args.includes(PROCESSORS)) return undefined
  const found = CLASS_OF.get(call.name)
  return found === 'read' && STREAM.test(target) ? undefined : found
}

/** Whether there is something to read; that is asked as often as the time allows. */
function isLook({ error, args }: Syscall): boolean {
  return error === 'EAGAIN' || args.includes('MSG_DONTWAIT')
}
