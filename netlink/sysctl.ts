/** Sysctls, in the namespace they belong to: `net.*` is one tree per network namespace. */
import { accessSync, closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs'
import { codeOf } from './error.ts'
import { type NetnsRef, withNetns } from './netns.ts'

export class SysctlError extends Error {
  override readonly name = 'SysctlError'
  /** `EINVAL` for a key that is none or a value the kernel refuses, `ENOENT`, `EROFS`, `EACCES`. */
  readonly code: string

  constructor(message: string, options: { readonly code: string; readonly cause?: unknown }) {
    super(message, { cause: options.cause })
    this.code = options.code
  }
}

export interface Sysctl {
  /** Components below /proc/sys; one each, since link names may hold dots. */
  readonly key: readonly string[]
  readonly value: string
  /** `at-least`: a larger number is as good. `equal` when absent. */
  readonly want?: 'equal' | 'at-least'
  /** A kernel or namespace that has no such sysctl, or lets nobody write it, is fine. */
  readonly optional?: true
}

/** What open(2) says of a sysctl that is not there or cannot be written: nf_conntrack_max belongs to the first namespace. */
const CANNOT: readonly string[] = ['ENOENT', 'EACCES', 'EPERM', 'EROFS']

/** `net.ipv4.conf.eth0.rp_filter`; a dot inside a component is written as a slash, as sysctl(8) does. */
export function describeKey(key: readonly string[]): string {
  return key.map((component) => component.replaceAll('.', '/')).join('.')
}

function pathOf(key: readonly string[]): string {
  const valid = key.length > 0 && key.every((component) => /^(?!\.{1,2}$)[^/\0]+$/.test(component))
  if (!valid) throw new SysctlError(`not a sysctl key: ${JSON.stringify(key)}`, { code: 'EINVAL' })
  return ['/proc/sys', ...key].join('/')
}

/**
 * A directory below /proc/sys of one namespace, held open, for who writes there often. In `/proc/sys/net` the kernel has
 * the entries of all namespaces under the same names and looks at one after the other (proc_sys_compare of
 * fs/proc/proc_sysctl.c): the way from the root takes 15 µs on an empty machine and 280 among 1,600 pods.
 */
export class SysctlDirectory implements Disposable {
  readonly #path: string
  readonly #fd: number

  private constructor(path: string, fd: number) {
    this.#path = path
    this.#fd = fd
  }

  /** Undefined when there is no such directory. @throws SysctlError, NetnsError */
  static open(netns: NetnsRef | undefined, key: readonly string[]): SysctlDirectory | undefined {
    const path = pathOf(key)
    const open = () => openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      const fd = inside(netns, () => attempt(`open sysctls ${describeKey(key)}`, open))
      return new SysctlDirectory(path, fd)
    } catch (error) {
      if (error instanceof SysctlError && error.code === 'ENOENT') return undefined
      throw error
    }
  }

  /** By the directory where the sysctl is below it. @throws SysctlError EINVAL for a key that is none */
  pathOf(key: readonly string[]): string {
    const path = pathOf(key)
    return path.startsWith(`${this.#path}/`) ? `/proc/self/fd/${this.#fd}${path.slice(this.#path.length)}` : path
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }
}

/** Fields of a value are separated by tabs when read and by anything when written; here by one space. */
export function normalise(value: string): string {
  return value.trim().split(/\s+/).join(' ')
}

function attempt<T>(what: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    const code = codeOf(cause)
    throw new SysctlError(`${what}: ${code}`, { code, cause })
  }
}

function read(key: readonly string[], path = pathOf(key)): string {
  return normalise(attempt(`read sysctl ${describeKey(key)}`, () => readFileSync(path, 'utf8')))
}

function inside<T>(netns: NetnsRef | undefined, run: () => T): T {
  return netns === undefined ? run() : withNetns(netns, run)
}

/**
 * The value, fields separated by one space. The namespace the thread is in when `netns` is undefined.
 * @throws SysctlError ENOENT when there is no such sysctl; NetnsError.
 */
export function readSysctl(netns: NetnsRef | undefined, key: readonly string[]): string {
  return inside(netns, () => read(key))
}

/** Many at once; `undefined` where there is no such sysctl. @throws SysctlError, NetnsError */
export function readSysctls(netns: NetnsRef | undefined, keys: readonly (readonly string[])[]): (string | undefined)[] {
  if (keys.length === 0) return []
  return inside(netns, () =>
    keys.map((key) => {
      try {
        return read(key)
      } catch (error) {
        if (error instanceof SysctlError && error.code === 'ENOENT') return undefined
        throw error
      }
    }),
  )
}

function satisfies(value: string, { value: wanted, want }: Sysctl): boolean {
  return want === 'at-least' ? Number(value) >= Number(wanted) : value === normalise(wanted)
}

function isWritable(key: readonly string[]): boolean {
  try {
    accessSync(pathOf(key), constants.W_OK)
    return true
  } catch (error) {
    if (CANNOT.includes(codeOf(error))) return false
    throw error
  }
}

/** What a sysctl is instead of as it is wanted. */
export type SysctlDeviation = undefined | { readonly found: string | undefined }

function deviation(sysctl: Sysctl): SysctlDeviation {
  try {
    const found = read(sysctl.key)
    const fine = satisfies(found, sysctl) || (sysctl.optional === true && !isWritable(sysctl.key))
    return fine ? undefined : { found }
  } catch (error) {
    if (!(error instanceof SysctlError) || error.code !== 'ENOENT') throw error
    return sysctl.optional === true ? undefined : { found: undefined }
  }
}

/** One answer for each, `undefined` when it is as wanted. @throws SysctlError, NetnsError */
export function compareSysctls(netns: NetnsRef | undefined, sysctls: readonly Sysctl[]): SysctlDeviation[] {
  return sysctls.length === 0 ? [] : inside(netns, () => sysctls.map(deviation))
}

function write(sysctl: Sysctl, directory: SysctlDirectory | undefined): void {
  const { key, value, optional } = sysctl
  const path = directory === undefined ? pathOf(key) : directory.pathOf(key)
  try {
    if (satisfies(read(key, path), sysctl)) return
    attempt(`write sysctl ${describeKey(key)} = ${value}`, () => writeFileSync(path, value))
  } catch (error) {
    const tolerable = optional === true && error instanceof SysctlError && CANNOT.includes(error.code)
    if (!tolerable) throw error
  }
}

/**
 * Writes those that differ, in order, with one entry into the namespace. A write that changes nothing is left out: some
 * sysctls act when they are written, and /proc/sys may be read-only and right already. Those that follow one that cannot
 * be written are written.
 * @param directory of the same namespace, by which those below it are reached
 * @throws SysctlError of the first that could not be written; NetnsError
 */
export function writeSysctls(
  netns: NetnsRef | undefined,
  sysctls: readonly Sysctl[],
  directory?: SysctlDirectory,
): void {
  if (sysctls.length === 0) return
  const [failed] = inside(netns, () => sysctls.flatMap((sysctl) => failureOf(sysctl, directory) ?? []))
  if (failed !== undefined) throw failed
}

function failureOf(sysctl: Sysctl, directory: SysctlDirectory | undefined): SysctlError | undefined {
  try {
    write(sysctl, directory)
    return undefined
  } catch (error) {
    if (error instanceof SysctlError) return error
    throw error
  }
}

/** @throws SysctlError, NetnsError */
export function writeSysctl(netns: NetnsRef | undefined, sysctl: Sysctl): void {
  writeSysctls(netns, [sysctl])
}
