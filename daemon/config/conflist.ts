/** The conflist that tells the container runtime to use Terway: written last, when the daemon can serve. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_SOCKET, DEFAULT_SPOOL_DIRECTORY } from '../../proto/paths.ts'

export const CONFLIST_NAME = '10-terway.conflist'

export interface ConflistOptions {
  /** Left out of the file when they are the plugin's defaults. */
  readonly socket: string
  readonly spoolDirectory: string
}

/**
 * `cniVersion` stays at 1.0.0 because containerd 1.6 and 1.7 fail on 1.1.0; newer runtimes take 1.1.0 from
 * `cniVersions` and then also call STATUS and GC.
 */
export function conflist({ socket, spoolDirectory }: ConflistOptions): string {
  const plugin = {
    type: 'terway',
    ...(socket === DEFAULT_SOCKET ? {} : { daemon_socket: socket }),
    ...(spoolDirectory === DEFAULT_SPOOL_DIRECTORY ? {} : { spool_dir: spoolDirectory }),
  }
  const list = { cniVersion: '1.0.0', cniVersions: ['0.4.0', '1.0.0', '1.1.0'], name: 'terway', plugins: [plugin] }
  return `${JSON.stringify(list, null, 2)}\n`
}

/**
 * Writes only when the bytes change, by rename within the directory: runtimes reload on every change, block all calls
 * meanwhile, and do not notice a file moved in from elsewhere. It is never deleted, or pods could not be stopped.
 * @returns whether it was written.
 */
export function writeConflist(directory: string, content: string): boolean {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, CONFLIST_NAME)
  if (read(path) === content) return false
  // The name ends in neither .conf, .conflist nor .json, so no runtime reads the unfinished file.
  const unfinished = join(directory, `.${CONFLIST_NAME}.new`)
  writeFileSync(unfinished, content, { mode: 0o644 })
  renameSync(unfinished, path)
  return true
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // absent or unreadable: it is written anew
  }
}
