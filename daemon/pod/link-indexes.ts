/**
 * Indexes for the links this daemon makes, chosen by itself so that no read-back is needed. They start far above those
 * the kernel gives out one by one, and no index is given twice in the life of the process.
 */
import { ipvlanHostIndex } from '../datapath/constants.ts'

/** The kernel counts up from 1 and allows 2^31 - 1 (linux/rtnetlink.c: ifindex is an int). */
const FIRST = 1_000_000
/** From here on they are those of ENIs' IPVlan slaves on the node. */
const END = ipvlanHostIndex(0)

export class LinkIndexes {
  #next: number

  /** `taken` are the indexes in use on the node now. */
  constructor(taken: Iterable<number>) {
    this.#next = Math.max(FIRST - 1, ...[...taken].filter((index) => index < END)) + 1
  }

  /** At three for a pod the last one is hundreds of millions of pods away. */
  next(): number {
    return this.#next++
  }
}
