/** What an instance type tells, and what follows from it. */
import { describe, expect, test } from '@jest/globals'
import { ScriptedTransport } from '../../test/transport/scripted-transport.ts'
import { createEcs } from '../ecs.ts'
import { InstanceTypeAnnotationError, parseInstanceTypeAnnotation } from './annotation.ts'
import {
  dualStackAllowed,
  erdmaEnis,
  exclusivePods,
  maxTrunkMembers,
  prefixesPerEni,
  prefixPods,
  sharedPods,
  trunkMembers,
} from './formulae.ts'
import type { InstanceType } from './instance-type.ts'
import { knownInstanceType } from './table.ts'

/** A recorded answer of DescribeInstanceTypes, without what has nothing to do with the network. */
const RAW = {
  ...{ InstanceTypeId: 'ecs.g7.xlarge', InstanceTypeFamily: 'ecs.g7', CpuCoreCount: 4, MemorySize: 16.0 },
  ...{ EniQuantity: 4, EniTotalQuantity: 20, EniTrunkSupported: true, EniPrivateIpAddressQuantity: 15 },
  ...{ EniIpv6AddressQuantity: 15, EriQuantity: 0, PrimaryEniQueueNumber: 4, SecondaryEniQueueNumber: 4 },
  ...{ MaximumQueueNumberPerEni: 4, TotalEniQueueQuantity: 16, QueuePairNumber: 0, NetworkCardQuantity: 1 },
  ...{ NetworkCards: { NetworkCardInfo: [{ NetworkCardIndex: 0 }] }, InstanceBandwidthRx: 3_072_000 },
}
const G7_XLARGE: InstanceType = {
  ...{ id: 'ecs.g7.xlarge', eniQuantity: 4, eniTotalQuantity: 20, trunkSupported: true },
  ...{ ipv4PerEni: 15, ipv6PerEni: 15, eriQuantity: 0, networkCards: [0] },
  queues: { primaryEni: 4, secondaryEni: 4, maxPerEni: 4, total: 16 },
}

function describeType(raw: object): Promise<InstanceType> {
  const scripted = new ScriptedTransport([{ InstanceTypes: { InstanceType: [raw] }, NextToken: '' }])
  return createEcs(scripted.transport).describeInstanceType('ecs.g7.xlarge')
}

describe('DescribeInstanceTypes', () => {
  test('as recorded', async () => {
    expect(await describeType(RAW)).toStrictEqual(G7_XLARGE)
  })

  test('fields that are missing or negative are what the type does not have', async () => {
    const raw = { InstanceTypeId: 'ecs.g7.xlarge', EniQuantity: 2, EniPrivateIpAddressQuantity: 6 }
    const least: InstanceType = {
      ...{ id: 'ecs.g7.xlarge', eniQuantity: 2, eniTotalQuantity: 2, trunkSupported: false },
      ...{ ipv4PerEni: 6, ipv6PerEni: 0, eriQuantity: 0, networkCards: [] },
      queues: { primaryEni: 0, secondaryEni: 0, maxPerEni: 0, total: 0 },
    }
    expect(await describeType(raw)).toStrictEqual(least)
    const negative = { EniIpv6AddressQuantity: -1, EniTotalQuantity: -1, EriQuantity: -1, NetworkCards: {} }
    expect(await describeType({ ...raw, ...negative })).toStrictEqual(least)
  })

  test.each([{ EniQuantity: 0 }, { EniPrivateIpAddressQuantity: 0 }, { EniQuantity: '4' }])(
    '%j is no limit to go by',
    async (wrong) => {
      await expect(describeType({ ...RAW, ...wrong })).rejects.toMatchObject({ code: 'BadAnswer' })
    },
  )
})

describe('what a node can carry', () => {
  const type = (eniQuantity: number, more: Partial<InstanceType> = {}): InstanceType => ({
    ...{ ...G7_XLARGE, eniQuantity, eniTotalQuantity: eniQuantity, trunkSupported: false },
    ...more,
  })

  test('pods', () => {
    expect(sharedPods(G7_XLARGE)).toBe(45)
    expect(exclusivePods(G7_XLARGE)).toBe(3)
    expect(prefixesPerEni(G7_XLARGE)).toBe(14)
    expect(prefixPods(G7_XLARGE)).toBe(3 * 14 * 16)
    expect(sharedPods(type(1))).toBe(0)
  })

  test('members of trunks: 16 beside three others, 18 at most', () => {
    expect([trunkMembers(G7_XLARGE), maxTrunkMembers(G7_XLARGE)]).toEqual([16, 18])
    const without = type(4, { eniTotalQuantity: 20 })
    expect([trunkMembers(without), maxTrunkMembers(without)]).toEqual([0, 0])
    const tiny = type(1, { trunkSupported: true })
    expect([trunkMembers(tiny), maxTrunkMembers(tiny)]).toEqual([0, 0])
  })

  test.each([
    [2, 2, 0],
    [3, 0, 0],
    [3, 2, 1],
    [7, 1, 1],
    [8, 1, 1],
    [8, 2, 2],
    [15, 4, 2],
  ])('%i ENIs of a type with %i for RDMA: %i', (eniQuantity, eriQuantity, expected) => {
    expect(erdmaEnis(type(eniQuantity, { eriQuantity }))).toBe(expected)
  })

  test('dual stack needs a twin for every address', () => {
    expect(dualStackAllowed(G7_XLARGE)).toBe(true)
    expect(dualStackAllowed({ ...G7_XLARGE, ipv6PerEni: 1 })).toBe(false)
  })
})

describe("the node's annotation", () => {
  test('is an answer of the API', () => {
    expect(parseInstanceTypeAnnotation(JSON.stringify(RAW), 'ecs.g7.xlarge')).toStrictEqual(G7_XLARGE)
  })

  test.each([
    ['another type', JSON.stringify(RAW), 'ecs.g6.large', /is about "ecs\.g7\.xlarge", this node is an ecs\.g6\.large/],
    ['no JSON', '{', 'ecs.g7.xlarge', /is not JSON/],
    ['JSON of something else', '[]', 'ecs.g7.xlarge', /is wrong/],
    ['no limits', '{"InstanceTypeId":"ecs.g7.xlarge"}', 'ecs.g7.xlarge', /EniQuantity/],
  ])('%s is refused, in words', (_, text, typeId, problem) => {
    const parse = () => parseInstanceTypeAnnotation(text, typeId)
    expect(parse).toThrow(InstanceTypeAnnotationError)
    expect(parse).toThrow(problem)
  })
})

describe('the built-in table', () => {
  test('has what the documentation states', () => {
    expect(knownInstanceType('ecs.g7.xlarge')).toEqual({
      type: { ...G7_XLARGE, networkCards: [] },
      assumed: ['networkCards'],
    })
    expect(knownInstanceType('ecs.r7.4xlarge')?.type).toMatchObject({ eniQuantity: 8, ipv4PerEni: 30, ipv6PerEni: 30 })
    expect(knownInstanceType('ecs.g8i.48xlarge')?.type).toMatchObject({ eniQuantity: 15, ipv4PerEni: 50 })
    const bareMetal = knownInstanceType('ecs.ebmre7p.32xlarge')?.type
    expect(bareMetal).toMatchObject({ eniTotalQuantity: 110, queues: { primaryEni: 32, secondaryEni: 16, total: 528 } })
    expect(bareMetal === undefined ? 0 : trunkMembers(bareMetal)).toBe(78)
  })

  test('stands for the least, and says so, where nothing is stated', () => {
    expect(knownInstanceType('ecs.c7.8xlarge')).toEqual({
      type: {
        ...{ id: 'ecs.c7.8xlarge', eniQuantity: 8, eniTotalQuantity: 8, trunkSupported: false },
        ...{ ipv4PerEni: 30, ipv6PerEni: 0, eriQuantity: 0, networkCards: [] },
        queues: { primaryEni: 16, secondaryEni: 16, maxPerEni: 16, total: 128 },
      },
      assumed: ['eniTotalQuantity', 'trunkSupported', 'ipv6PerEni', 'eriQuantity', 'networkCards'],
    })
    expect(knownInstanceType('ecs.g7.2xlarge')?.assumed).toContain('eniTotalQuantity')
  })

  test('does not know every type', () => {
    expect(knownInstanceType('ecs.g99.large')).toBeUndefined()
  })
})
