/** Reading a list that others may change meanwhile: asked again until one answer is whole. Pure but for the asking. */
import { Errno } from './errno.ts'
import { NetlinkError } from './error.ts'
import type { Ack, Message } from './message.ts'

/** One answer to a dump. */
export interface Listing {
  readonly acks: readonly Ack[]
  /** The kernel says that the list changed while it was read (NLM_F_DUMP_INTR). */
  readonly interrupted: boolean
  /** A change was announced while it was read; of meaning only when the socket listens to announcements. */
  readonly disturbed: boolean
}

/** As the reference CNI plugins do. */
export const DUMP_ATTEMPTS = 5

/**
 * `watched`: announcements of changes count, for lists that the kernel does not mark as interrupted.
 * @throws NetlinkError of a dump that was refused; EINTR when the list changed every time.
 */
export function wholeListing(
  ask: () => Listing,
  options: { readonly what: string; readonly watched: boolean },
): Message[] {
  for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
    const { acks, interrupted, disturbed } = ask()
    const [ack] = acks
    if (ack?.error !== undefined && ack.error.errno !== Errno.EINTR) throw ack.error
    const changed = interrupted || (options.watched && disturbed)
    if (ack !== undefined && ack.error === undefined && !changed) return [...ack.messages]
  }
  const extack = `interrupted by changes ${DUMP_ATTEMPTS} times`
  throw new NetlinkError({ errno: Errno.EINTR, request: options.what, extack })
}
