import { describe, expect, test } from '@jest/globals'
import { CloudError } from '../error.ts'
import type { InstanceType } from './instance-type.ts'
import { instanceLimits } from './limits.ts'

const TYPE: InstanceType = {
  ...{ id: 'ecs.g7.xlarge', eniQuantity: 5, eniTotalQuantity: 20, trunkSupported: true },
  ...{ ipv4PerEni: 16, ipv6PerEni: 16, eriQuantity: 1, networkCards: [] },
  queues: { primaryEni: 4, secondaryEni: 4, maxPerEni: 4, total: 16 },
}
const ANNOTATION = JSON.stringify({
  ...{ InstanceTypeId: 'ecs.g7.xlarge', EniQuantity: 6, EniPrivateIpAddressQuantity: 17 },
})
const error = (code: string) => new CloudError('in words', { action: 'DescribeInstanceTypes', code })
const refused = (code: string) => () => Promise.reject(error(code))
const typeId = TYPE.id

test('the API comes first', async () => {
  expect(await instanceLimits({ typeId, ask: async () => TYPE, annotation: ANNOTATION })).toEqual({
    ...{ type: TYPE, source: 'api', assumed: [], problems: [] },
  })
})

/** The API says that it does not know the type, or that this identity may not ask. */
const VERDICTS = ['Forbidden.RAM', 'NoPermission', 'InstanceType.NotFound', 'InvalidInstanceType.ValueNotSupported']
/** What says nothing about the type. */
const NO_VERDICTS = [
  ...['Network', 'Throttling', 'BudgetTimeout', 'InternalError', 'BadAnswer', 'Client', 'Credential.File'],
  ...['SignatureDoesNotMatch', 'InvalidTimeStamp.Expired', 'InvalidAccessKeyId.NotFound', 'InvalidAction.NotFound'],
]

test.each(VERDICTS)('the annotation comes next (%s)', async (code) => {
  const limits = await instanceLimits({ typeId, ask: refused(code), annotation: ANNOTATION })
  expect(limits).toMatchObject({ type: { eniQuantity: 6, ipv4PerEni: 17 }, source: 'annotation', assumed: [] })
  expect(limits.problems).toEqual([expect.stringContaining(code)])
})

describe('the table comes last', () => {
  test.each(VERDICTS)('(%s)', async (code) => {
    const limits = await instanceLimits({ typeId, ask: refused(code) })
    expect(limits).toMatchObject({ type: { eniQuantity: 4, ipv4PerEni: 15 }, source: 'table' })
    expect(limits.assumed).toEqual(['networkCards'])
  })

  test('and the annotation is wrong, which is told with what to do', async () => {
    const limits = await instanceLimits({ typeId, ask: refused('Forbidden.RAM'), annotation: '{}' })
    expect(limits.source).toBe('table')
    expect(limits.problems).toEqual([
      expect.stringContaining('Forbidden.RAM'),
      expect.stringMatching(/annotation alibabacloud\.com\/instance-type-info is wrong.*correct or remove/s),
    ])
  })

  test.each(NO_VERDICTS)('but neither of them while the API may yet answer (%s)', async (code) => {
    const ask = refused(code)
    await expect(instanceLimits({ typeId, ask })).rejects.toMatchObject({ code })
    await expect(instanceLimits({ typeId, ask, annotation: ANNOTATION })).rejects.toMatchObject({ code })
  })

  test('but not when it was the credential that was refused', async () => {
    const refusal = new CloudError('ram/ answered 403', { action: 'metadata', code: 'Forbidden' })
    await expect(instanceLimits({ typeId, ask: () => Promise.reject(refusal) })).rejects.toBe(refusal)
  })

  test('but not for a type that it does not have', async () => {
    await expect(instanceLimits({ typeId: 'ecs.g99.large', ask: refused('Forbidden.RAM') })).rejects.toMatchObject({
      code: 'Forbidden.RAM',
    })
  })
})

test('a fault of our own is no answer', async () => {
  const fault = new TypeError('of our own')
  await expect(instanceLimits({ typeId, ask: () => Promise.reject(fault), annotation: ANNOTATION })).rejects.toBe(fault)
})
