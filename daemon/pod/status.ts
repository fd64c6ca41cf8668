/**
 * Whether the node can network any pod at all. A runtime takes a failing STATUS for a node that is not ready, and its
 * pods are moved away: so an empty pool, a full vSwitch or a cloud that does not answer is an error of ADD, never one of
 * STATUS. Pure.
 */
import { CniError, CniErrorCode, type CniErrorOptions } from '../../proto/cni-error.ts'
import type { NetConf } from '../cni/netconf.ts'
import type { Kind } from '../config/mode.ts'
import type { HostFacts } from '../datapath/attachment.ts'

/** What the kernel must have for every pod of some configurations. */
export type KernelFeature = 'veth' | 'ipvlan' | 'vlan' | 'nf_tables'

export interface StatusFacts {
  /** Why nothing can be put on record. */
  readonly journal?: string
  /** Why the kernel cannot be spoken to. */
  readonly kernel?: string
  /** Those of the needed ones that the kernel has not got. */
  readonly lacking: readonly KernelFeature[]
}

/** What each pod needs that is added from now on. */
export function neededFeatures(
  kind: Kind,
  { policyRoute }: Pick<HostFacts, 'policyRoute'>,
  { virtualType, vlanStripType }: Pick<NetConf, 'virtualType' | 'vlanStripType'>,
): readonly KernelFeature[] {
  const marks = policyRoute === 'map' ? (['nf_tables'] as const) : []
  switch (kind) {
    case 'shared':
      return virtualType === 'ipvlan' ? ['ipvlan'] : ['veth', ...marks]
    case 'member':
      return vlanStripType === 'filter' ? ['veth', ...marks] : ['vlan']
    case 'exclusive':
      return []
    case 'route':
      return ['veth']
  }
}

const INSTEAD: Readonly<Record<KernelFeature, string>> = {
  veth: 'load the module veth on this node',
  ipvlan: 'load the module ipvlan on this node, or set eniip_virtual_type to "veth" in the CNI configuration',
  vlan: 'load the module 8021q on this node, or set vlan_strip_type to "filter" in the CNI configuration',
  nf_tables: 'load the module nf_tables on this node, or set policy_route to "rules" in eni_conf',
}

/** Undefined: pods can be networked. */
export function statusProblem({ journal, kernel, lacking }: StatusFacts): CniError | undefined {
  if (journal !== undefined) {
    const details = 'the file system of --state-dir may be full or read-only; the log of terwayd holds the error'
    return unavailable({ reason: 'journal-unwritable', text: `nothing can be put on record: ${journal}`, details })
  }
  if (kernel !== undefined) {
    const details = 'terwayd needs CAP_NET_ADMIN and the network namespace of the node; its log holds the error'
    return unavailable({ reason: 'kernel-unreachable', text: `the kernel does not answer: ${kernel}`, details })
  }
  const [feature] = lacking
  if (feature === undefined) return undefined
  const text = `this kernel lacks ${lacking.join(' and ')}, which every new pod needs`
  return unavailable({ reason: 'kernel-unsupported', text, details: INSTEAD[feature] })
}

function unavailable(why: Omit<CniErrorOptions, 'code'>): CniError {
  return new CniError({ code: CniErrorCode.unavailable, ...why })
}
