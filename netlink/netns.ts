/**
 * Network namespaces: the only door into one.
 *
 * A namespace belongs to a thread, and JavaScript runs on one thread, so whatever runs between entering and leaving
 * must be synchronous: asynchronous work started inside would run at home, or, worse, start a pool thread that stays
 * inside for ever. `warmThreadPool` at process start makes sure that the pool exists before the first entry.
 */
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  promises,
  readdirSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { Errno } from './errno.ts'
import { codeOf, NetnsError, SystemCallError } from './error.ts'
import * as ffi from './ffi.ts'

/** Where iproute2 keeps named namespaces. */
export const NETNS_DIRECTORY = '/run/netns'
/** `self` would name the leader's namespace, which is another one in a worker thread. */
const CURRENT = '/proc/thread-self/ns/net'
/** NSFS_MAGIC of linux/magic.h */
const NSFS_MAGIC = 0x6e736673
/** A FIFO or device at the path must not block the process. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK

/** A path to a namespace (`/run/netns/x`, `/proc/1/ns/net`) or an open one. */
export type NetnsRef = string | Netns

/** An open network namespace: lives as long as it is open, even when its path is gone. Close it. */
export class Netns implements Disposable {
  readonly path: string
  /** Equal for two handles exactly when they are the same namespace. */
  readonly identity: string
  #fd: number | undefined

  /** Takes the descriptor over. */
  constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
    const { dev, ino } = fstatSync(fd, { bigint: true })
    this.identity = `${dev}:${ino}`
  }

  /** @throws NetnsError EBADF after `close`: the number may be another namespace's by then. */
  get fd(): number {
    if (this.#fd !== undefined) return this.#fd
    throw new NetnsError(`network namespace ${this.path} is closed`, { code: 'EBADF', netns: this.path })
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

function failed(what: string, netns: string, cause: unknown): NetnsError {
  const code = codeOf(cause)
  return new NetnsError(`${what}: ${code}`, { code, netns, cause })
}

function isNetworkNamespace(fd: number): boolean {
  return statfsSync(`/proc/self/fd/${fd}`).type === NSFS_MAGIC && ffi.ioctl(fd, ffi.NS_GET_NSTYPE) === ffi.CLONE_NEWNET
}

/** @throws NetnsError ENOENT when nothing is there, ENOTNETNS when it is something else, or the errno of open(2). */
export function openNetns(path: string): Netns {
  let fd: number
  try {
    fd = openSync(path, OPEN_FLAGS)
  } catch (cause) {
    throw failed(`open network namespace ${path}`, path, cause)
  }
  try {
    if (isNetworkNamespace(fd)) return new Netns(path, fd)
  } catch (cause) {
    closeSync(fd)
    throw failed(`inspect network namespace ${path}`, path, cause)
  }
  closeSync(fd)
  throw new NetnsError(`${path} is not a network namespace`, { code: 'ENOTNETNS', netns: path })
}

/** The namespace the calling thread is in. */
export function homeNetns(): Netns {
  return openNetns(CURRENT)
}

export function isNetns(path: string): boolean {
  try {
    openNetns(path).close()
    return true
  } catch (error) {
    if (error instanceof NetnsError) return false
    throw error
  }
}

/** @throws NetnsError when either cannot be opened. */
export function sameNetns(a: NetnsRef, b: NetnsRef): boolean {
  return identityOf(a) === identityOf(b)
}

function identityOf(ref: NetnsRef): string {
  if (ref instanceof Netns) return ref.identity
  using netns = openNetns(ref)
  return netns.identity
}

/** Where the thread is: at home, but inside `withNetns`. Looked up once, since nobody but this file leaves. */
let place: Netns | undefined

function whereabouts(): Netns {
  place ??= openNetns(CURRENT)
  return place
}

/** Whether it is the namespace that the thread is in. @throws NetnsError */
export function isHome({ identity }: Netns): boolean {
  return identity === whereabouts().identity
}

/** A thread left in a foreign namespace would program somebody else's kernel objects: nothing may run after that. */
function returnTo(home: Netns): void {
  place = home
  try {
    ffi.setns(home.fd, ffi.CLONE_NEWNET)
  } catch (error) {
    writeSync(2, `terway: cannot return to the home network namespace, aborting: ${String(error)}\n`)
    process.abort()
  }
}

/**
 * Runs `fn` inside the namespace and returns its value. `fn` must be synchronous: files under /proc/sys/net and
 * /proc/net and sockets made by it are the namespace's, everything asynchronous is not.
 * @throws NetnsError when the namespace cannot be entered or `fn` returned a promise; whatever `fn` throws.
 */
export function withNetns<T>(ref: NetnsRef, fn: () => T): T {
  if (typeof ref === 'string') {
    using netns = openNetns(ref)
    return withNetns(netns, fn)
  }
  const { fd } = ref
  const home = whereabouts()
  try {
    ffi.setns(fd, ffi.CLONE_NEWNET)
  } catch (cause) {
    throw failed(`enter network namespace ${ref.path}`, ref.path, cause)
  }
  // Entries may nest.
  place = ref
  let result: T
  try {
    result = fn()
  } finally {
    returnTo(home)
  }
  refusePromise(result, ref)
  return result
}

function refusePromise(result: unknown, netns: Netns): void {
  if (typeof result !== 'object' || result === null || !('then' in result)) return
  // Its own failure is of no interest any more; without a handler it would end the process.
  Promise.resolve(result).catch(() => undefined)
  throw new NetnsError('the closure given to withNetns must be synchronous, it returned a promise', {
    code: 'EPROMISE',
    netns: netns.path,
  })
}

/**
 * Starts libuv's thread pool in the namespace the process lives in. Call it once, at process start, before anything
 * of this folder: a pool thread that is born while the main thread is inside a namespace stays there.
 */
export async function warmThreadPool(): Promise<void> {
  const size = Number(process.env.UV_THREADPOOL_SIZE ?? 4)
  const threads = Number.isInteger(size) && size > 0 ? size : 4
  await Promise.all(Array.from({ length: threads }, () => promises.stat('/')))
}

function namedPath(name: string): string {
  if (!/^[A-Za-z0-9._-]{1,255}$/.test(name) || name === '.' || name === '..') {
    throw new NetnsError(`not a name for a network namespace: ${JSON.stringify(name)}`, { code: 'EINVAL', netns: name })
  }
  return join(NETNS_DIRECTORY, name)
}

/** As iproute2 does it: a shared mount, so that deleting a name releases the namespace in every mount namespace. */
function prepareDirectory(): void {
  mkdirSync(NETNS_DIRECTORY, { recursive: true, mode: 0o755 })
  const share = () => ffi.mount({ source: '', target: NETNS_DIRECTORY, flags: ffi.MS_SHARED | ffi.MS_REC })
  try {
    share()
  } catch (error) {
    if (!(error instanceof SystemCallError) || error.errno !== Errno.EINVAL) throw error
    // EINVAL: not a mount point yet.
    ffi.mount({ source: NETNS_DIRECTORY, target: NETNS_DIRECTORY, flags: ffi.MS_BIND | ffi.MS_REC })
    share()
  }
}

/**
 * Makes a namespace that `ip netns` knows by the same name; its `lo` is down.
 * @returns its path. @throws NetnsError EEXIST when the name is taken.
 */
export function createNamedNetns(name: string): string {
  const path = namedPath(name)
  try {
    prepareDirectory()
    closeSync(openSync(path, constants.O_RDONLY | constants.O_CREAT | constants.O_EXCL, 0o444))
  } catch (cause) {
    throw failed(`create network namespace ${name}`, path, cause)
  }
  const home = whereabouts()
  try {
    ffi.unshare(ffi.CLONE_NEWNET)
    ffi.mount({ source: CURRENT, target: path, flags: ffi.MS_BIND })
  } catch (cause) {
    unlinkSync(path)
    throw failed(`create network namespace ${name}`, path, cause)
  } finally {
    returnTo(home)
  }
  return path
}

/** Takes the name away; the namespace itself ends with its last process, socket or handle. A missing name is fine. */
export function deleteNamedNetns(name: string): void {
  const path = namedPath(name)
  try {
    ffi.unmount(path, ffi.MNT_DETACH)
  } catch (cause) {
    // EINVAL: not a mount point, what a crash between create and mount leaves behind. ENOENT: no such name.
    const expected = cause instanceof SystemCallError && (cause.errno === Errno.EINVAL || cause.errno === Errno.ENOENT)
    if (!expected) {
      throw failed(`delete network namespace ${name}`, path, cause)
    }
  }
  try {
    unlinkSync(path)
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return
    throw failed(`delete network namespace ${name}`, path, cause)
  }
}

/** Names under /run/netns that begin with the prefix, sorted. */
export function listNamedNetns(prefix = ''): string[] {
  try {
    return readdirSync(NETNS_DIRECTORY)
      .filter((name) => name.startsWith(prefix))
      .sort()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
