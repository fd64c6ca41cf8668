/**
 * A clock that nobody sets. A cool-down is a time that has passed, not a time of the day: a node whose clock is put
 * right by an hour must neither give addresses away too soon nor hold them back. It goes on over restarts of the daemon,
 * as its journal does, and begins anew when the machine has.
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Journal } from '../store/journal.ts'

const NAME = 'clock'
const KEPT = z.object({
  boot: z.string(),
  /** ms since the epoch when the machine started, as its clock said when the journal was new */
  epoch: z.number(),
})
/** proc(5): another one after every start of the machine. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id'

export interface Timepieces {
  readonly bootId: () => string
  /** ms since the machine started, CLOCK_MONOTONIC */
  readonly monotonic: () => number
  /** ms since the epoch, as the machine's clock is set */
  readonly wall: () => number
}

const MACHINE: Timepieces = {
  bootId: () => readFileSync(BOOT_ID, 'utf8').trim(),
  monotonic: () => Number(process.hrtime.bigint() / 1_000n) / 1_000,
  wall: () => Date.now(),
}

/** @returns whole ms since the epoch, as the machine's clock would say had it not been set meanwhile */
export function steadyClock(journal: Pick<Journal, 'getFact' | 'putFact'>, machine = MACHINE): () => number {
  const boot = machine.bootId()
  const kept = KEPT.safeParse(journal.getFact(NAME)).data
  const epoch = kept?.boot === boot ? kept.epoch : machine.wall() - machine.monotonic()
  if (kept?.boot !== boot) journal.putFact(NAME, { boot, epoch })
  return () => Math.floor(epoch + machine.monotonic())
}
