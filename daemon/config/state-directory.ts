/** The journal's home. */
import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Logger } from 'pino'

/** TMPFS_MAGIC of linux/magic.h */
const TMPFS_MAGIC = 0x01021994

/** The journal says what is in the kernel; on a disk it would survive a reboot that the kernel's state does not. */
export function warnUnlessTmpfs(directory: string, log: Logger): void {
  const type = statfsSync(existingParent(directory)).type
  if (type !== TMPFS_MAGIC)
    log.warn({ directory }, 'the state directory is not on tmpfs; after a reboot it is out of date')
}

function existingParent(directory: string): string {
  try {
    statfsSync(directory)
    return directory
  } catch (error) {
    if (dirname(directory) === directory) throw error
    return existingParent(dirname(directory)) // not made yet
  }
}
