import type { Cidr } from '../../inet/address.ts'

/**
 * What the rest of the cluster says of this node while the daemon runs. Kubernetes is one to say it; where nobody does,
 * there are no annotations and no pod keeps its address.
 */
export interface NodeInputs {
  /** Of the node object. */
  readonly annotations: Readonly<Record<string, string>>
  /** Prefixes that the node has for its pods, in VPC route mode. */
  readonly podCidrs: readonly Cidr[]
  /** Whether the pod shall have the same address when it is made again: of a StatefulSet, or by its annotation. */
  keepsAddress(pod: { readonly namespace: string; readonly pod: string }): boolean
  /** Calls back at every change of the annotations. */
  onChange(callback: () => void): void
}

export const NO_INPUTS: NodeInputs = {
  annotations: {},
  podCidrs: [],
  keepsAddress: () => false,
  onChange: () => undefined,
}
