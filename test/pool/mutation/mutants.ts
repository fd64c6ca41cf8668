/**
 * Deliberate bugs, each a piece of the pool's source put in the place of another. The histories must catch every one of
 * them, or they would not catch it if it were made by accident.
 */

export interface Mutant {
  readonly name: string
  /** Below daemon/pool. */
  readonly file: string
  /** Occurs there once. */
  readonly from: string
  readonly to: string
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'off by one in the capacity of an ENI',
    file: 'supply.ts',
    from: 'limits.addressesPerEni - prefixes.length',
    to: 'limits.addressesPerEni + 1 - prefixes.length',
  },
  {
    name: 'off by one in the number of ENIs',
    file: 'balance.ts',
    from: 'limits.maxEnis - taken',
    to: 'limits.maxEnis + 1 - taken',
  },
  {
    name: 'no cool-down',
    file: 'pool.ts',
    from: 'const until = since + Math.max(coolDown, keep)',
    to: 'const until = since',
  },
  {
    name: 'connections that are not forgotten before an address is given again',
    file: 'cool-down.ts',
    from: 'await Promise.race([conntrack.forget(ips, how), late])',
    to: 'await Promise.race([late, how])',
  },
  {
    name: 'a cool-down that anybody may skip',
    file: 'choose-address.ts',
    from: 'return wish.keeps === true || (podUid !== undefined && podUid === wish.podUid)',
    to: 'return true',
  },
  {
    name: 'an ENI without our tag is adopted',
    file: 'reconcile/ownership.ts',
    from: 'if (!eni.tags.has(CREATOR_TAG.key))',
    to: 'if (eni.tags.size > 9)',
  },
  {
    name: "an ENI with somebody else's tag is adopted",
    file: 'reconcile/ownership.ts',
    from: 'if (creator !== undefined && creator !== CREATOR_TAG.value)',
    to: "if (creator === 'nobody')",
  },
  {
    name: 'an intent to create is forgotten',
    file: 'creations.ts',
    from: 'if (vSwitch !== undefined) decided(this.#record(creation, vSwitch))',
    to: 'if (vSwitch !== undefined) void this.#record(creation, vSwitch)',
  },
  {
    name: 'a creation is repeated with another token',
    file: 'effects/create.ts',
    from: 'context.cloud.createEni(record.request,',
    to: 'context.cloud.createEni({ ...record.request, clientToken: crypto.randomUUID() },',
  },
  {
    name: 'an ENI does not say which node it was made for',
    file: 'creations.ts',
    from: '[NODE_TAG]: instanceId, ',
    to: '',
  },
  {
    name: 'what has gone is released twice',
    file: 'effects/unassign.ts',
    from: "return known?.eni === key && known.phase === 'unassigning' ? [{ kind: 'drop-address', ip }] : []",
    to: 'return []',
  },
  {
    name: 'addresses go back that pods have',
    file: 'parts.ts',
    from: "phase === 'warm' && familyOf(ip) === family && !primary && prefix === undefined",
    to: "phase !== 'unassigning' && familyOf(ip) === family && !primary && prefix === undefined",
  },
  {
    name: 'an ENI goes back that pods are on',
    file: 'shrink.ts',
    from: "return ![...state.addressesOf(key)].some(({ phase }) => phase === 'owned' || phase === 'cooling')",
    to: 'return state.enis.has(key)',
  },
  {
    name: 'an address is given that is not assigned any more',
    file: 'reconcile/addresses.ts',
    from: "if (address.phase === 'unassigning' || isLost(address)) return",
    to: 'return',
  },
  {
    name: 'a ghost is forgotten when its pod ends',
    file: 'cool-down.ts',
    from: "if (address.lost) return [{ kind: 'drop-address', ip: address.ip }]",
    to: '',
  },
  {
    name: 'what is left behind is never looked at',
    file: 'reconcile/unknown-enis.ts',
    from: 'else considerOrphan(draft, found)',
    to: 'else void found',
  },
  {
    name: 'an address stays with a pod that has ended',
    file: 'pool.ts',
    from: 'const held = this.#tables.heldBy(owner)',
    to: 'const held = this.#tables.heldBy(owner).slice(1)',
  },
]
