/** What an instance type allows, as DescribeInstanceTypes and the node's annotation tell it. */
import { z } from 'zod'
import { listOf } from '../answer.ts'

/** Address counts of an ENI include its primary address. */
export interface InstanceType {
  /** `ecs.g7.xlarge` */
  readonly id: string
  /** ENIs, the primary one included; members of a trunk do not count. */
  readonly eniQuantity: number
  /** The same with the members of trunks. */
  readonly eniTotalQuantity: number
  readonly trunkSupported: boolean
  readonly ipv4PerEni: number
  readonly ipv6PerEni: number
  /** Elastic RDMA interfaces. */
  readonly eriQuantity: number
  readonly queues: Queues
  /** Indexes of its network cards; empty for a type that has only the one without a name. */
  readonly networkCards: readonly number[]
}

/** NIC queues; 0 where nothing is known. */
export interface Queues {
  readonly primaryEni: number
  readonly secondaryEni: number
  readonly maxPerEni: number
  /** Of all ENIs together. */
  readonly total: number
}

/** Fields that an older answer may lack mean that the type does not have what they count. */
const quantity = z
  .int()
  .nullish()
  .transform((count) => Math.max(0, count ?? 0))

const RAW = z.object({
  InstanceTypeId: z.string().min(1),
  EniQuantity: z.int().min(1),
  EniPrivateIpAddressQuantity: z.int().min(1),
  EniIpv6AddressQuantity: quantity,
  EniTotalQuantity: quantity,
  EniTrunkSupported: z.boolean().nullish(),
  EriQuantity: quantity,
  PrimaryEniQueueNumber: quantity,
  SecondaryEniQueueNumber: quantity,
  MaximumQueueNumberPerEni: quantity,
  TotalEniQueueQuantity: quantity,
  NetworkCards: listOf('NetworkCardInfo', z.object({ NetworkCardIndex: z.int() })),
})

export const INSTANCE_TYPE: z.ZodType<InstanceType> = RAW.transform((raw) => ({
  id: raw.InstanceTypeId,
  eniQuantity: raw.EniQuantity,
  eniTotalQuantity: Math.max(raw.EniQuantity, raw.EniTotalQuantity),
  trunkSupported: raw.EniTrunkSupported ?? false,
  ipv4PerEni: raw.EniPrivateIpAddressQuantity,
  ipv6PerEni: raw.EniIpv6AddressQuantity,
  eriQuantity: raw.EriQuantity,
  queues: {
    primaryEni: raw.PrimaryEniQueueNumber,
    secondaryEni: raw.SecondaryEniQueueNumber,
    maxPerEni: raw.MaximumQueueNumberPerEni,
    total: raw.TotalEniQueueQuantity,
  },
  networkCards: raw.NetworkCards.map((card) => card.NetworkCardIndex),
}))
