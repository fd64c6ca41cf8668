/** Chance that can be repeated. */
import { createHash } from 'node:crypto'

/** 32 bits of the text's hash. */
export function seedOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE()
}

/** Numbers from 0 to below 1; equal for equal seeds (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
