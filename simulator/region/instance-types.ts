/**
 * Instance types known without any configuration: the public instance-family pages (g6, g7, c7, r7, g7ne, g8i, ebm) and
 * recorded answers of DescribeInstanceTypes. A region file can add types and override these.
 */

export interface InstanceType {
  /** `ecs.g7.xlarge` */
  readonly id: string
  readonly cpuCores: number
  readonly memoryGiB: number
  /** Attached ENIs, the primary one included. */
  readonly eniQuantity: number
  /** The same and the member ENIs of trunks. */
  readonly eniTotalQuantity: number
  readonly trunkSupported: boolean
  /** Addresses of one ENI, its primary address included. */
  readonly ipv4PerEni: number
  readonly ipv6PerEni: number
  readonly queuesPerEni: number
  /** eRDMA interfaces. */
  readonly eriQuantity: number
}

/** Rows of `family: size cpu memory ENIs v4 v6 queues`, as the family pages print them. */
const PAGES: Readonly<Record<string, readonly string[]>> = {
  'ecs.g6': [
    'large 2 8 2 6 1 2',
    'xlarge 4 16 3 10 1 4',
    '2xlarge 8 32 4 10 1 8',
    '3xlarge 12 48 6 10 1 8',
    '4xlarge 16 64 8 20 1 8',
    '6xlarge 24 96 8 20 1 12',
    '8xlarge 32 128 8 20 1 16',
    '13xlarge 52 192 7 20 1 32',
    '26xlarge 104 384 15 20 1 32',
  ],
  'ecs.g7': [
    'large 2 8 3 6 6 2',
    'xlarge 4 16 4 15 15 4',
    '2xlarge 8 32 4 15 15 8',
    '3xlarge 12 48 8 15 15 8',
    '4xlarge 16 64 8 30 30 8',
    '6xlarge 24 96 8 30 30 12',
    '8xlarge 32 128 8 30 30 16',
    '16xlarge 64 256 8 30 30 32',
    '32xlarge 128 512 15 30 30 32',
  ],
  'ecs.c7': [
    'large 2 4 3 6 6 2',
    'xlarge 4 8 4 15 15 4',
    '2xlarge 8 16 4 15 15 8',
    '3xlarge 12 24 8 15 15 8',
    '4xlarge 16 32 8 30 30 8',
    '8xlarge 32 64 8 30 30 16',
    '16xlarge 64 128 8 30 30 32',
    '32xlarge 128 256 15 30 30 32',
  ],
  'ecs.r7': [
    'large 2 16 3 6 6 2',
    'xlarge 4 32 4 15 15 4',
    '2xlarge 8 64 4 15 15 8',
    '3xlarge 12 96 8 15 15 8',
    '4xlarge 16 128 8 30 30 8',
    '8xlarge 32 256 8 30 30 16',
    '16xlarge 64 512 8 30 30 32',
    '32xlarge 128 1024 15 30 30 32',
  ],
  'ecs.g8i': [
    'large 2 8 3 6 6 2',
    'xlarge 4 16 4 15 15 4',
    '2xlarge 8 32 4 15 15 8',
    '3xlarge 12 48 8 15 15 12',
    '4xlarge 16 64 8 30 30 16',
    '6xlarge 24 96 8 30 30 24',
    '8xlarge 32 128 8 30 30 32',
    '12xlarge 48 192 8 30 30 48',
    '16xlarge 64 256 8 30 30 64',
    '24xlarge 96 384 15 30 30 64',
    '48xlarge 192 1024 15 50 50 64',
  ],
  'ecs.u1-c1m4': ['xlarge 4 16 3 10 1 2'],
}

/**
 * EniTotalQuantity of types that support trunks, from recorded answers. The pages do not print it: every other type
 * has no room for members until a region file gives it some.
 */
const TRUNK_TOTAL: Readonly<Record<string, number>> = {
  'ecs.g7.xlarge': 20,
  'ecs.g7.2xlarge': 10,
  'ecs.u1-c1m4.xlarge': 6,
}

function fromRow(family: string, row: string): InstanceType {
  const [size = '', ...columns] = row.split(' ')
  const [cpuCores = 0, memoryGiB = 0, eniQuantity = 0, ipv4PerEni = 0, ipv6PerEni = 0, queuesPerEni = 0] =
    columns.map(Number)
  const id = `${family}.${size}`
  const total = TRUNK_TOTAL[id]
  return {
    id,
    cpuCores,
    memoryGiB,
    eniQuantity,
    eniTotalQuantity: total ?? eniQuantity,
    trunkSupported: total !== undefined,
    ipv4PerEni,
    ipv6PerEni,
    queuesPerEni,
    eriQuantity: 0,
  }
}

export const BUILT_IN_INSTANCE_TYPES: readonly InstanceType[] = Object.entries(PAGES).flatMap(([family, rows]) =>
  rows.map((row) => fromRow(family, row)),
)

/** Of all ENIs of an instance together: what they have that the type allows (every recorded answer says so). */
export function totalQueues({ queuesPerEni, eniQuantity }: InstanceType): number {
  return queuesPerEni * eniQuantity
}

/** `ecs.g7.xlarge` is of the family `ecs.g7`. */
export function familyOfType(type: string): string {
  return type.slice(0, type.lastIndexOf('.'))
}
