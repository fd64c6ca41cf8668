/** Which vSwitch the next ENI is made in. Pure. */
import type { ZoneId } from '../ids.ts'
import type { VSwitch } from '../vpc/vswitch-actions.ts'

/**
 * `ordered`: the first in the order of the configuration that has room. `random`: any that has room, each as likely as
 * the others. `most`: the one with the most free addresses, the first of them when several have.
 */
export const VSWITCH_POLICIES = ['ordered', 'random', 'most'] as const
export type VSwitchPolicy = (typeof VSWITCH_POLICIES)[number]

export interface Circumstances {
  /** Of the node: an ENI can only be attached within its zone. */
  readonly zone: ZoneId
  /** 0 ≤ x < 1 */
  readonly random: () => number
}

/** @param candidates in the order of the configuration. @returns undefined when none has room in the zone. */
export function chooseVSwitch(
  candidates: readonly VSwitch[],
  policy: VSwitchPolicy,
  { zone, random }: Circumstances,
): VSwitch | undefined {
  const open = candidates.filter((vSwitch) => vSwitch.zoneId === zone && vSwitch.availableIps > 0)
  switch (policy) {
    case 'ordered':
      return open[0]
    case 'random':
      return open[Math.floor(random() * open.length)]
    case 'most':
      return open.toSorted((a, b) => b.availableIps - a.availableIps)[0]
  }
}
