/** Plans beside the kernel, in the words of the Inspect service. */
import type { NetnsRef } from '../../netlink/netns.ts'
import type { Comparison, NetworkPlan } from '../../netlink/plan.ts'
import { describeSysctl } from '../../netlink/plan-text.ts'
import { compareSysctls, readSysctls } from '../../netlink/sysctl.ts'
import type { PlannedObject } from '../../proto/generated/terway/inspect/v1/PlannedObject.ts'

/** `tolerated`: not as wanted, and nobody can help it. */
export type ObjectState = 'same' | 'missing' | 'different' | 'tolerated'

export function plannedObject({ netns, object, subject, problem, found = '' }: Comparison): PlannedObject {
  return { netns, object, wanted: subject, found, state: problem ?? ('same' satisfies ObjectState) }
}

/** A sysctl as it is. */
interface SysctlFound {
  readonly value: string
  readonly isTolerated: boolean
}
export type SysctlsFound = ReadonlyMap<string, SysctlFound>

/** Of a plan the sysctls of the host, by how they are described. @throws SysctlError, NetnsError */
export function readPlannedSysctls({ sysctls }: NetworkPlan, netns: NetnsRef | undefined): SysctlsFound {
  const specs = sysctls.filter((spec) => spec.netns === 'host')
  const values = readSysctls(
    netns,
    specs.map(({ key }) => key),
  )
  const strict = compareSysctls(
    netns,
    specs.map(({ key, value, want = 'equal' }) => ({ key, value, want })),
  )
  return new Map(
    specs.map((spec, at) => [
      describeSysctl(spec),
      { value: values[at] ?? '', isTolerated: strict[at] !== undefined && spec.optional === true },
    ]),
  )
}

/** Says of a sysctl what it is, not only that it is fine. */
export function withSysctl(object: PlannedObject, sysctls: SysctlsFound): PlannedObject {
  const sysctl = object.object === 'sysctl' && object.netns === 'host' ? sysctls.get(object.wanted ?? '') : undefined
  if (sysctl === undefined) return object
  const isTolerated = object.state === 'same' && sysctl.isTolerated
  return { ...object, found: sysctl.value, ...(isTolerated ? { state: 'tolerated' satisfies ObjectState } : {}) }
}
