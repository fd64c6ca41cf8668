/**
 * Limits of common instance types for a node that can learn them nowhere else: the instance-family pages of the ECS
 * documentation, and recorded answers of DescribeInstanceTypes where they say more. Only what a source states is here;
 * limits grow over the years, so the API always knows better.
 */
import type { InstanceType } from './instance-type.ts'

export interface KnownType {
  readonly type: InstanceType
  /** Fields that no source states: the least that any type has. */
  readonly assumed: readonly (keyof InstanceType)[]
}

type Row = readonly [sizes: string, enis: number, ipv4: number, ipv6: number | undefined, queues: number | undefined]

const G7_SIZES: readonly Row[] = [
  ['large', 3, 6, 6, 2],
  ['xlarge', 4, 15, 15, 4],
  ['2xlarge', 4, 15, 15, 8],
  ['3xlarge', 8, 15, 15, 8],
  ['4xlarge', 8, 30, 30, 8],
]

/** c7 and r7, whose larger sizes are known from a page without a column for IPv6. */
const C7_SIZES: readonly Row[] = [
  ...G7_SIZES,
  ['8xlarge', 8, 30, undefined, 16],
  ['16xlarge', 8, 30, undefined, 32],
  ['32xlarge', 15, 30, undefined, 32],
]

/** Address counts per ENI include its primary address; queues are those of one ENI. */
const PAGES: Readonly<Record<string, readonly Row[]>> = {
  'ecs.g6': [
    ['large', 2, 6, 1, 2],
    ['xlarge', 3, 10, 1, 4],
    ['2xlarge', 4, 10, 1, 8],
    ['3xlarge', 6, 10, 1, 8],
    ['4xlarge', 8, 20, 1, 8],
    ['6xlarge', 8, 20, undefined, 12],
    ['8xlarge', 8, 20, undefined, 16],
    ['13xlarge', 7, 20, undefined, 32],
    ['26xlarge', 15, 20, undefined, 32],
  ],
  'ecs.g7': [
    ...G7_SIZES,
    ['6xlarge', 8, 30, 30, 12],
    ['8xlarge', 8, 30, 30, 16],
    ['16xlarge', 8, 30, 30, 32],
    ['32xlarge', 15, 30, 30, 32],
  ],
  'ecs.c7': C7_SIZES,
  'ecs.r7': C7_SIZES,
  'ecs.g7ne': [
    ['large', 3, 10, undefined, 2],
    ['xlarge', 4, 15, undefined, 4],
    ['2xlarge', 6, 15, undefined, 8],
    ['4xlarge', 8, 30, undefined, 16],
    ['8xlarge', 8, 30, undefined, 16],
    ['24xlarge', 15, 50, undefined, 32],
  ],
  'ecs.g8i': [
    ['large', 3, 6, 6, 2],
    ['xlarge', 4, 15, 15, 4],
    ['2xlarge', 4, 15, 15, 8],
    ['3xlarge', 8, 15, 15, 12],
    ['4xlarge', 8, 30, 30, 16],
    ['6xlarge', 8, 30, 30, 24],
    ['8xlarge', 8, 30, 30, 32],
    ['12xlarge', 8, 30, 30, 48],
    ['16xlarge', 8, 30, 30, 64],
    ['24xlarge', 15, 30, 30, 64],
    ['48xlarge', 15, 50, 50, 64],
  ],
  'ecs.ebmg6': [['26xlarge', 32, 20, 1, undefined]],
  'ecs.ebmg6e': [['26xlarge', 32, 10, 1, undefined]],
  'ecs.ebmg7': [['32xlarge', 32, 20, 20, undefined]],
  // Bare metal: what its ENIs have together is not known from what one has.
  'ecs.ebmg7a': [['64xlarge', 31, 15, 1, undefined]],
  'ecs.ebmre7p': [['32xlarge', 32, 15, 1, undefined]],
  'ecs.u1-c1m4': [['xlarge', 3, 10, 1, 2]],
}

type Recorded = Partial<Omit<InstanceType, 'id'>>

/** From answers of the API, which state more than the pages. */
const RECORDED: Readonly<Record<string, Recorded>> = {
  'ecs.g6.large': { eniTotalQuantity: 2, trunkSupported: false },
  'ecs.g7.xlarge': {
    ...{ eniTotalQuantity: 20, trunkSupported: true, eriQuantity: 0 },
    queues: { primaryEni: 4, secondaryEni: 4, maxPerEni: 4, total: 16 },
  },
  'ecs.ebmre7p.32xlarge': {
    ...{ eniTotalQuantity: 110, trunkSupported: true },
    queues: { primaryEni: 32, secondaryEni: 16, maxPerEni: 32, total: 528 },
  },
  'ecs.u1-c1m4.xlarge': {
    ...{ eniTotalQuantity: 6, trunkSupported: true },
    queues: { primaryEni: 2, secondaryEni: 2, maxPerEni: 2, total: 6 },
  },
}

const NO_QUEUES: InstanceType['queues'] = { primaryEni: 0, secondaryEni: 0, maxPerEni: 0, total: 0 }

function knownType(family: string, [size, eniQuantity, ipv4PerEni, ipv6PerEni, queues]: Row): KnownType {
  const id = `${family}.${size}`
  // Every virtual type in the records has as many queues as its ENIs have together.
  const perEni = { primaryEni: queues, secondaryEni: queues, maxPerEni: queues, total: (queues ?? 0) * eniQuantity }
  const stated: Recorded = {
    ...(ipv6PerEni === undefined ? {} : { ipv6PerEni }),
    ...(queues === undefined ? {} : { queues: perEni as InstanceType['queues'] }),
    ...RECORDED[id],
  }
  return completed({ id, eniQuantity, ipv4PerEni, ...stated })
}

/** A type of which the rest is not known. */
export function completed(stated: Pick<InstanceType, 'id' | 'eniQuantity' | 'ipv4PerEni'> & Recorded): KnownType {
  const least = {
    ...{ eniTotalQuantity: stated.eniQuantity, trunkSupported: false, ipv6PerEni: 0, eriQuantity: 0 },
    ...{ queues: NO_QUEUES, networkCards: [] },
  }
  const assumed = (Object.keys(least) as (keyof typeof least)[]).filter((field) => stated[field] === undefined)
  return { type: { ...least, ...stated }, assumed }
}

const KNOWN_TYPES: ReadonlyMap<string, KnownType> = new Map(
  Object.entries(PAGES)
    .flatMap(([family, rows]) => rows.map((row) => knownType(family, row)))
    .map((known) => [known.type.id, known]),
)

/** @returns undefined for a type that is not in the table. */
export function knownInstanceType(id: string): KnownType | undefined {
  return KNOWN_TYPES.get(id)
}
