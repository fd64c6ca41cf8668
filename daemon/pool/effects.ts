/**
 * The pool's effects: each takes one record as the journal has it and brings it one phase further, or to its end. They
 * are level-based: after a crash the same function on the same record goes on where the last one stopped, because the
 * cloud recognises the token of a repeated creation or assignment, and the other calls are idempotent by state.
 *
 * What the rest of the pool sees of them; `EffectRunner` runs them.
 */
export type { EniLinks, ReadyEni } from './effects/context.ts'
