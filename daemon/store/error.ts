/** The journal cannot be opened, cannot be read or is not one of ours; the message says what to do. */
export class JournalError extends Error {
  override readonly name = 'JournalError'
}

/** What the cloud and the kernel know is enough to go on with. */
export function damaged(path: string, what: string, cause: unknown): JournalError {
  const advice =
    `move ${path}* away and start again: ` +
    'the pool then takes over the ENIs that the cloud has and the addresses that pods carry in the kernel'
  return new JournalError(`the journal ${path} is damaged, ${what} cannot be read: ${advice}`, { cause })
}
