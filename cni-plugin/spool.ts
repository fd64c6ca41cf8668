/** Leaves a DEL where the daemon finds it later. */
import { closeSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { encodeSpooledDel, type SpooledDel, spoolFileName } from '../proto/spool.ts'
import { writeAll } from './stdio.ts'

/** The daemon runs as root and so does the plugin; nobody else has any business here. */
const DIRECTORY_MODE = 0o700
const FILE_MODE = 0o600

/**
 * Writes beside the file and renames, so that the daemon never reads half of it. No fsync: the directory is on tmpfs,
 * and after a reboot there is nothing left to remove.
 * @returns the path of the file
 * @throws Error of the system call that failed
 */
export function spoolDel(directory: string, del: SpooledDel): string {
  mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE })
  const file = join(directory, spoolFileName(del))
  const scratch = join(directory, `.${spoolFileName(del)}.${process.pid}.tmp`)
  const fd = openSync(scratch, 'wx', FILE_MODE)
  try {
    try {
      writeAll(fd, encodeSpooledDel(del))
    } finally {
      closeSync(fd)
    }
    renameSync(scratch, file)
  } catch (error) {
    rmSync(scratch, { force: true })
    throw error
  }
  return file
}
