/** What is built for. */
import { EM_AARCH64, EM_X86_64 } from './elf.ts'

export type Arch = 'x64' | 'arm64'

export interface Platform {
  readonly arch: Arch
  /** As directories are called. */
  readonly name: `linux-${Arch}`
  /** Of its ELF files. */
  readonly machine: number
  /** The largest that its kernels are built with, bytes. */
  readonly pageSize: number
}

export const PLATFORMS: readonly Platform[] = [
  { arch: 'x64', name: 'linux-x64', machine: EM_X86_64, pageSize: 4096 },
  { arch: 'arm64', name: 'linux-arm64', machine: EM_AARCH64, pageSize: 65_536 },
]

/** @throws Error on any other machine, for which there is no Node either */
export function hostPlatform(): Platform {
  const found = PLATFORMS.find(({ arch }) => arch === process.arch)
  if (found === undefined) throw new Error(`nothing is built for ${process.arch}`)
  return found
}
