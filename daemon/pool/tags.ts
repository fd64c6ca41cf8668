/** Tags of the ENIs that the daemon makes. */

/** Marks an ENI as Terway's, the same as the original's. */
export const CREATOR_TAG = { key: 'creator', value: 'terway' } as const
/** Which node asked for the ENI, and by which intent. */
export const NODE_TAG = 'terway.node'
export const INTENT_TAG = 'terway.intent'
/** Which cluster, the same as the original's. */
export const CLUSTER_TAG = 'ack.aliyun.com'
