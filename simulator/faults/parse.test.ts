import { describe, expect, test } from '@jest/globals'
import { testRegion } from '../../test/simulator/region.ts'
import { parseFault } from './parse.ts'

const ACTIONS = ['CreateNetworkInterface', 'DescribeNetworkInterfaces', 'DescribeInstances']
const surroundings = { region: testRegion(), actions: ACTIONS }
const effectOf = (effect: unknown) => parseFault({ effect }, surroundings).effect

describe('effects', () => {
  const outcome = (value: object) => ({ kind: 'outcome', outcome: value })
  test.each<[object, object]>([
    [{ delay: 100 }, { kind: 'delay', when: 'after', milliseconds: 100 }],
    [{ delayBefore: 100 }, { kind: 'delay', when: 'before', milliseconds: 100 }],
    [
      { error: 'InternalError' },
      outcome({ kind: 'error', code: 'InternalError', status: 500, message: expect.any(String) }),
    ],
    [
      { error: 'InvalidVSwitchId.IpNotEnough', message: 'm' },
      outcome({ kind: 'error', code: 'InvalidVSwitchId.IpNotEnough', status: 403, message: 'm' }),
    ],
    [
      { error: 'Odd', status: 418, message: 'm', retryAfter: 5 },
      outcome({ kind: 'error', code: 'Odd', status: 418, message: 'm', retryAfter: 5 }),
    ],
    [
      { error: 'ServiceUnavailable.RegionMaintaining', message: 'm' },
      outcome({ kind: 'error', code: 'ServiceUnavailable.RegionMaintaining', status: 500, message: 'm' }),
    ],
    [{ throttle: 60_000 }, { kind: 'throttle', milliseconds: 60_000, code: 'Throttling.User' }],
    [
      { throttle: 1, code: 'Throttling.Api' },
      { kind: 'throttle', milliseconds: 1, code: 'Throttling.Api' },
    ],
    [{ timeout: 'after' }, outcome({ kind: 'silence', when: 'after' })],
    [{ reset: 'before' }, outcome({ kind: 'reset', when: 'before' })],
    [
      { answer: 'stale', by: 5000 },
      { kind: 'stale', by: 5000 },
    ],
    [{ answer: 'missing' }, { kind: 'missing' }],
    [{ answer: 'empty-id' }, outcome({ kind: 'empty-id' })],
    [{ answer: 'html' }, outcome({ kind: 'page', status: 502, when: 'before' })],
    [{ answer: 'html', status: 504, when: 'after' }, outcome({ kind: 'page', status: 504, when: 'after' })],
    [{ answer: 'truncated' }, outcome({ kind: 'truncated' })],
    [{ attach: 'fail' }, { kind: 'transition', step: 'attach', fault: 'fail' }],
    [{ detach: 'hang' }, { kind: 'transition', step: 'detach', fault: 'hang' }],
    [{ delete: 'hang' }, { kind: 'transition', step: 'delete', fault: 'hang' }],
    [
      { vSwitch: 'vsw-sim-h', availableIps: 0 },
      { kind: 'free-ips', vSwitch: 'vsw-sim-h', availableIps: 0 },
    ],
    [{ metadata: { status: 429 } }, { kind: 'metadata', status: 429 }],
    [{ metadata: { status: 'timeout' } }, { kind: 'metadata', status: 'timeout' }],
  ])('%j', (json, effect) => {
    expect(effectOf(json)).toEqual(effect)
  })
})

describe('what is wrong is named with what is allowed', () => {
  const delay = { delay: 1 }
  test.each<[unknown, string]>([
    [7, 'expected object'],
    [{}, 'effect: '],
    [{ effect: {} }, 'effect: must have one of delay, delayBefore, error, throttle'],
    [{ effect: { delai: 5 } }, 'effect: must have one of delay, delayBefore'],
    [{ effect: { delay: 1, error: 'X' } }, 'effect: delay and error exclude each other'],
    [{ effect: { delay: 'x' } }, 'effect.delay: '],
    [{ effect: { delay: 0 } }, 'effect.delay: '],
    [{ effect: { delay: 1, code: 'X' } }, 'Unrecognized key: "code"'],
    [{ effect: { timeout: 'never' } }, 'effect.timeout: Invalid option: expected one of "before"|"after"'],
    [{ effect: { answer: 'odd' } }, 'effect.answer: Invalid option: expected one of "stale"|"missing"|"empty-id"'],
    [{ effect: { answer: 'stale' } }, 'effect.by: '],
    [{ effect: { answer: 'stale', by: 300_001 } }, 'effect.by: Too big: expected number to be <=300000'],
    [{ effect: { answer: 'missing', by: 1 } }, 'Unrecognized key: "by"'],
    [{ effect: { detach: 'fail' } }, 'effect.detach: Invalid input: expected "hang"'],
    [{ effect: { error: 'a b' } }, 'effect.error: must look like InternalError'],
    [{ effect: { error: 'X', status: 200 } }, 'effect.status: '],
    [{ effect: { throttle: 1, code: 'Busy' } }, 'effect.code: must contain Throttling'],
    [{ effect: { vSwitch: 'vsw-x', availableIps: 0 } }, 'effect.vSwitch: must match one of vsw-sim-h, vsw-sim-i'],
    [{ effect: { metadata: { status: 200 } } }, 'effect.metadata.status: '],
    [{ effect: delay, selector: {} }, 'Unrecognized key: "selector"'],
    [{ effect: delay, select: { acton: 'x' } }, 'select: Unrecognized key: "acton"'],
    [
      { effect: delay, select: { action: 'CreateEni' } },
      'select.action: must match one of CreateNetworkInterface, Desc',
    ],
    [{ effect: delay, select: { node: 'node-x' } }, 'select.node: must match one of node-a, node-b'],
    [{ effect: delay, select: { vSwitch: 'vsw-x' } }, 'select.vSwitch: must match one of vsw-sim-h, vsw-sim-i'],
    [{ effect: delay, select: { eni: 'x' } }, 'select.eni: must look like eni-sim00000003'],
    [{ effect: delay, select: { probability: 0 } }, 'select.probability: '],
    [{ effect: delay, select: { nth: 0 } }, 'select.nth: '],
    [{ effect: delay, select: { nth: 2, times: 1 } }, 'select.nth: goes neither with after nor with times'],
    [{ effect: delay, select: { path: '*' } }, 'select.path: this effect is selected by action, node, key'],
    [{ effect: { attach: 'hang' }, select: { action: 'A' } }, 'select.action: this effect is selected by node, eni'],
    [
      { effect: { metadata: { status: 500 } }, select: { key: 'k' } },
      'select.key: this effect is selected by node, path',
    ],
    [
      { effect: { answer: 'empty-id' }, select: { action: 'Describe*' } },
      'select.action: must match one of CreateNetworkI',
    ],
    [
      { effect: { answer: 'missing' }, select: { action: 'DescribeInstances' } },
      'select.action: must match one of Descr',
    ],
  ])('%j', (json, message) => {
    expect(() => parseFault(json, surroundings)).toThrow(message)
  })
})

test('the selector is kept as it was', () => {
  const select = {
    action: 'Describe*',
    node: 'node-a',
    key: 'k',
    eni: 'eni-1',
    vSwitch: 'vsw-sim-h',
    after: 1,
    times: 2,
  }
  const asked = { delay: 5 }
  const fault = parseFault(
    { name: 'slow', select: { ...select, for: 9, probability: 0.5 }, effect: asked },
    surroundings,
  )
  expect(fault).toMatchObject({ name: 'slow', select: { ...select, for: 9, probability: 0.5 }, asked })
})
