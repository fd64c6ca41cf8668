import { describe, expect, test } from '@jest/globals'
import { actionLimits, burstWarnings, limitOf } from './limits.ts'

/** Calls that a minute sees at most: those at once, and those that come back until the next one would be too late. */
const perMinute = (limit: { perSecond: number; burst: number }) => Math.round(60 * limit.perSecond + limit.burst - 1)

describe('calls per minute', () => {
  test.each([
    ['CreateNetworkInterface', 500],
    ['AttachNetworkInterface', 500],
    ['DetachNetworkInterface', 400],
    ['DescribeNetworkInterfaceAttribute', 2000],
    ['DescribeVSwitches', 300],
    ['TagResources', 500],
  ])('%s: %d unless configured', (action, calls) => {
    expect(perMinute(actionLimits()(action))).toBe(calls)
  })

  test('by the name of the action', () => {
    const limits = actionLimits({ perAction: { TagResources: 60, DescribeVSwitches: 30 } })
    expect(perMinute(limits('TagResources'))).toBe(60)
    expect(perMinute(limits('DescribeVSwitches'))).toBe(30)
    expect(perMinute(limits('CreateNetworkInterface'))).toBe(500)
  })

  test('by kind of change, a second; the name of an action is more specific', () => {
    const conf = { eniCreateQps: 10, eniDeleteQps: 5, ipAssignQps: 50, ipUnassignQps: 40 }
    const limits = actionLimits({ ...conf, perAction: { AttachNetworkInterface: 100 } })
    const actions = ['Create', 'Attach', 'Detach', 'Delete'].map((verb) => `${verb}NetworkInterface`)
    expect(actions.map((action) => perMinute(limits(action)))).toEqual([600, 100, 300, 300])
    const assign = ['AssignPrivateIpAddresses', 'AssignIpv6Addresses']
    expect(assign.map((action) => perMinute(limits(action)))).toEqual([3000, 3000])
    expect(assign.map((action) => perMinute(limits(`Una${action.slice(1)}`)))).toEqual([2400, 2400])
  })
})

describe('the burst', () => {
  test('is a node’s ENIs unless configured', () => {
    expect(actionLimits()('CreateNetworkInterface').burst).toBe(10)
    expect(actionLimits({ burstSize: 20 })('CreateNetworkInterface').burst).toBe(20)
    expect(actionLimits({ burstSize: 20 })('TagResources').burst).toBe(20)
  })

  test('leaves at least half of the calls to the time after it', () => {
    expect(limitOf(60, 1000)).toEqual({ burst: 30, perSecond: 31 / 60 })
    expect(limitOf(1, 5)).toEqual({ burst: 1, perSecond: 1 / 60 })
    expect(limitOf(0.5)).toEqual({ burst: 1, perSecond: 0.5 / 60 })
  })
})

describe('a burst that costs more than a tenth of the steady rate', () => {
  test('is told of, with what is left', () => {
    const [warning, ...more] = burstWarnings({ eniCreateQps: 1, perAction: { TagResources: 200 }, burstSize: 20 })
    expect(more).toEqual([])
    expect(warning).toMatch(/^burst_size 20 leaves .* of CreateNetworkInterface \(41 of 60 a minute\), AttachNetwork/)
    expect(warning).not.toMatch(/TagResources|DescribeVSwitches/)
  })

  test.each([{}, { eniCreateQps: 0.05 }, { burstSize: 30 }, { perAction: { TagResources: 300 }, burstSize: 31 }])(
    'is not %j',
    (conf) => expect(burstWarnings(conf)).toEqual([]),
  )
})

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('%d is no limit', (value) => {
  expect(() => actionLimits({ eniCreateQps: value })).toThrow(/eniCreateQps must be a number above 0/)
  expect(() => actionLimits({ perAction: { TagResources: value } })).toThrow(RangeError)
  expect(() => actionLimits({ burstSize: value })).toThrow(RangeError)
})
