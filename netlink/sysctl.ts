/** Sysctls, in the namespace they belong to: `net.*` is one tree per network namespace. */
import { readFileSync, writeFileSync } from 'node:fs'
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
}

/** `net.ipv4.conf.eth0.rp_filter`; a dot inside a component is written as a slash, as sysctl(8) does. */
export function describeKey(key: readonly string[]): string {
  return key.map((component) => component.replaceAll('.', '/')).join('.')
}

function pathOf(key: readonly string[]): string {
  const valid = key.length > 0 && key.every((component) => /^(?!\.{1,2}$)[^/\0]+$/.test(component))
  if (!valid) throw new SysctlError(`not a sysctl key: ${JSON.stringify(key)}`, { code: 'EINVAL' })
  return ['/proc/sys', ...key].join('/')
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

function read(key: readonly string[]): string {
  const path = pathOf(key)
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

/**
 * Writes those that differ, in order, with one entry into the namespace. A write that changes nothing is left out: some
 * sysctls act when they are written, and /proc/sys may be read-only and right already.
 * @throws SysctlError, NetnsError
 */
export function writeSysctls(netns: NetnsRef | undefined, sysctls: readonly Sysctl[]): void {
  if (sysctls.length === 0) return
  inside(netns, () => {
    for (const { key, value } of sysctls) {
      if (read(key) === normalise(value)) continue
      attempt(`write sysctl ${describeKey(key)} = ${value}`, () => writeFileSync(pathOf(key), value))
    }
  })
}

/** @throws SysctlError, NetnsError */
export function writeSysctl(netns: NetnsRef | undefined, sysctl: Sysctl): void {
  writeSysctls(netns, [sysctl])
}
