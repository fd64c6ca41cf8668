/** The executables of other CNI plugins, as far as a conflist depends on them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CniBinary {
  /** It answers in version 1.1.0 of the specification; false too when that cannot be told. */
  readonly speaksNewest: boolean
}

/** Undefined when the directory holds no plugin of this type, or it cannot be read. */
export function findCniBinary(directory: string, type: string): CniBinary | undefined {
  let content: Buffer
  try {
    content = readFileSync(join(directory, type))
  } catch {
    return undefined // which the conflist is made for
  }
  const [major, minor] = goModuleVersion(content, CNI_LIBRARY) ?? [0, 0]
  return { speaksNewest: major > 1 || (major === 1 && minor >= 2) }
}

/** Go's library for plugins, which knows version 1.1.0 from its release 1.2.0 on. */
const CNI_LIBRARY = 'github.com/containernetworking/cni'

/**
 * Of a module that is built into a Go executable: major and minor. The linker writes the list as lines of text,
 * `dep`, module and version with tabs between (debug/buildinfo); Debian's builds have none.
 */
export function goModuleVersion(content: Buffer, module: string): readonly [number, number] | undefined {
  const line = `\ndep\t${module}\tv`
  const at = content.indexOf(line)
  if (at < 0) return undefined
  const version = content.toString('latin1', at + line.length, at + line.length + 16)
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(version) ?? []
  return major === undefined ? undefined : [Number(major), Number(minor)]
}
