/** The last line of a daemon that dies of its own fault, in the form of all the others. */
import type { Logger } from 'pino'

/**
 * Takes what nobody caught, in a callback or a promise, and ends the process with status 1: its state is not known any
 * more, and the next start recovers from the journal.
 */
export function endOnUncaught(log: Logger): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (err: unknown) => {
      log.fatal({ err, event }, 'terwayd has met a fault of its own and ends; pods keep their network')
      process.exit(1)
    })
  }
}
