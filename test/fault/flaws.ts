/** What the suite must notice: a daemon that is wrong on purpose, by what is put around its journal and its transport. */
import type { Transport } from '../../cloud/transport.ts'
import type { Change } from '../../daemon/pool/model.ts'

export const FLAWS = ['no token', 'late intent', 'early drop'] as const
/**
 * `no token`: calls carry no ClientToken. `late intent`: what is to be made is on record only when it has been made.
 * `early drop`: what is to be given back is forgotten before it has been.
 */
export type Flaw = (typeof FLAWS)[number]

export function flawedTransport(flaw: Flaw | undefined, transport: Transport): Transport {
  if (flaw !== 'no token') return transport
  return (call, options) => {
    const { ClientToken: _, ...query } = call.query
    return transport({ ...call, query }, options)
  }
}

export function flawedChanges(flaw: Flaw | undefined, changes: readonly Change[]): readonly Change[] {
  switch (flaw) {
    case 'late intent':
      return changes.filter((change) => !isIntent(change))
    case 'early drop':
      return changes.map((change) => {
        const leaves = change.kind === 'put-address' && change.address.phase === 'unassigning'
        return leaves ? { kind: 'drop-address', ip: change.address.ip } : change
      })
    default:
      return changes
  }
}

function isIntent(change: Change): boolean {
  return change.kind === 'put-assign' || (change.kind === 'put-eni' && change.eni.phase === 'creating')
}
