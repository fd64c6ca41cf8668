/** The node that all strategies share, and how long its cloud takes. */

/** ecs.g7.4xlarge: eight ENIs, one of them the node's own, of thirty IPv4 addresses each (public page of the family). */
export const NODE = { enis: 7, addressesPerEni: 30 } as const

/** ms. What the simulator of the cloud takes unless told otherwise; `metadata` is how far the metadata service lags. */
export const LATENCIES = {
  create: 500,
  attach: 3000,
  link: 1000,
  assign: 500,
  unassign: 500,
  detach: 3000,
  delete: 1500,
  metadata: 1000,
} as const

/** ms until a call to an API that is away has failed: an answer's time, as of a gateway that refuses. */
export const UNREACHABLE = 500

/** ms between two pods on one address. The original has none: it is measured as it is. */
export const COOL_DOWN = 30_000

/** kubelet, pod_workers.go: a pod whose sandbox failed is tried again after so many ms and up to half as much more. */
export const KUBELET_RETRY = { pause: 10_000, jitter: 0.5 } as const
