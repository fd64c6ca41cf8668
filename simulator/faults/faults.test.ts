import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { testRegion } from '../../test/simulator/region.ts'
import type { Eni } from '../cloud/eni.ts'
import type { EniId, InstanceId, NodeName, VSwitchId } from '../region/ids.ts'
import type { VSwitch } from '../region/region.ts'
import { type CallFacts, Faults } from './faults.ts'
import { parseFault } from './parse.ts'

const ACTIONS = ['CreateNetworkInterface', 'AttachNetworkInterface', 'DescribeNetworkInterfaces', 'DescribeInstances']
const CALL: CallFacts = {
  action: 'CreateNetworkInterface',
  node: 'node-a' as NodeName,
  key: 'LTAIsim',
  enis: [],
  vSwitches: ['vsw-sim-h' as VSwitchId],
}

function testFaults(seed = 1) {
  const region = testRegion({ seed })
  let time = 1_000_000
  const faults = new Faults({ region, now: () => time })
  const add = (effect: object, select: object = {}) =>
    faults.add(parseFault({ select, effect }, { region, actions: ACTIONS }))
  const call = (changes: Partial<CallFacts> = {}) => faults.onCall({ ...CALL, ...changes })
  const strikes = (count: number, changes: Partial<CallFacts> = {}) =>
    Array.from({ length: count }, () => call(changes).faults.length)
  const pass = (milliseconds: number) => {
    time += milliseconds
  }
  return { faults, add, call, strikes, pass }
}

const ERROR = { error: 'InternalError' }

describe('which calls', () => {
  test.each<[object, Partial<CallFacts>, boolean]>([
    [{}, {}, true],
    [{ action: 'CreateNetworkInterface' }, {}, true],
    [{ action: 'Describe*' }, {}, false],
    [{ action: 'Describe*' }, { action: 'DescribeInstances' }, true],
    [{ node: 'node-a' }, {}, true],
    [{ node: 'node-b' }, {}, false],
    [{ node: 'node-a' }, { node: undefined }, false],
    [{ key: 'LTAIsim' }, {}, true],
    [{ key: 'other' }, {}, false],
    [{ vSwitch: 'vsw-sim-h' }, {}, true],
    [{ vSwitch: 'vsw-sim-i' }, {}, false],
    [{ eni: 'eni-1' }, {}, false],
    [{ eni: 'eni-1' }, { enis: ['eni-2', 'eni-1'] as string[] as EniId[] }, true],
    [{ action: 'Create*', node: 'node-b' }, {}, false],
  ])('%j and %j: %j', (select, call, struck) => {
    const { add, strikes } = testFaults()
    add(ERROR, select)
    expect(strikes(1, call)).toEqual([struck ? 1 : 0])
  })

  test.each<[object, number[]]>([
    [{ nth: 1 }, [1, 0, 0, 0, 0]],
    [{ nth: 3 }, [0, 0, 1, 0, 0]],
    [{ after: 2 }, [0, 0, 1, 1, 1]],
    [{ times: 2 }, [1, 1, 0, 0, 0]],
    [{ after: 1, times: 2 }, [0, 1, 1, 0, 0]],
    [{ probability: 1 }, [1, 1, 1, 1, 1]],
  ])('%j of five', (select, struck) => {
    const { add, strikes } = testFaults()
    add(ERROR, select)
    expect(strikes(5)).toEqual(struck)
  })

  test('only those that match are counted', () => {
    const { add, strikes, faults } = testFaults()
    add(ERROR, { action: 'Attach*', nth: 2 })
    strikes(5)
    expect(strikes(3, { action: 'AttachNetworkInterface' })).toEqual([0, 1, 0])
    expect(faults.list()).toMatchObject([{ matched: 3, hits: 1 }])
  })

  test('a window is over when its time is', () => {
    const { add, strikes, pass } = testFaults()
    add(ERROR, { for: 1000 })
    pass(999)
    expect(strikes(1)).toEqual([1])
    pass(1)
    expect(strikes(1)).toEqual([0])
  })
})

describe('several faults', () => {
  test('delays add up and go with an outcome', () => {
    const { add, call } = testFaults()
    add({ delay: 100 })
    add({ delayBefore: 5 })
    add(ERROR)
    add({ delay: 20 })
    expect(call()).toMatchObject({
      faults: ['fault-1', 'fault-2', 'fault-3', 'fault-4'],
      ...{ delayBefore: 5, delayAfter: 120, outcome: { kind: 'error' } },
    })
  })

  test('the first outcome wins, and the others are not used up', () => {
    const { add, call, faults } = testFaults()
    add({ timeout: 'after' }, { times: 1 })
    add(ERROR, { times: 1 })
    expect([call(), call(), call()].map(({ outcome }) => outcome?.kind)).toEqual(['silence', 'error', undefined])
    expect(faults.list().map(({ matched, hits }) => [matched, hits])).toEqual([
      [3, 1],
      [3, 1],
    ])
  })
})

describe('a throttle', () => {
  test('opens one window for everybody that calls the action', () => {
    const { add, call, pass } = testFaults()
    add({ throttle: 1000 }, { node: 'node-a', after: 1 })
    const other = { node: 'node-b' as NodeName }
    const wait = (changes: Partial<CallFacts> = {}) => {
      const { outcome } = call(changes)
      return outcome?.kind === 'error' ? outcome.retryAfter : undefined
    }
    expect([wait(other), wait(), wait(other)]).toEqual([undefined, undefined, undefined])
    expect([wait(), wait(other)]).toEqual([1000, 1000])
    expect(wait({ action: 'AttachNetworkInterface', ...other })).toBeUndefined()
    pass(999)
    expect(wait(other)).toBe(1)
    pass(1)
    expect([wait(), wait(other)]).toEqual([undefined, undefined])
  })

  test('opens one for each action', () => {
    const { add, strikes, pass, faults } = testFaults()
    add({ throttle: 1000 })
    const attach = { action: 'AttachNetworkInterface' }
    expect([strikes(2), strikes(2, attach)].flat()).toEqual([1, 1, 1, 1])
    pass(1000)
    expect([strikes(2), strikes(2, attach)].flat()).toEqual([0, 0, 0, 0])
    expect(strikes(1, { action: 'DescribeInstances' })).toEqual([1])
    expect(faults.list()).toMatchObject([{ hits: 5 }])
  })

  test('opens as many as it is told', () => {
    const { add, strikes, pass, faults } = testFaults()
    add({ throttle: 1000 }, { times: 2 })
    expect(strikes(2)).toEqual([1, 1])
    pass(1000)
    expect(strikes(2)).toEqual([1, 1])
    pass(1000)
    expect(strikes(2)).toEqual([0, 0])
    expect(faults.list()).toMatchObject([{ hits: 4 }])
  })
})

describe('lists', () => {
  test('only of ENIs are old', () => {
    const { add, call } = testFaults()
    add({ answer: 'stale', by: 5000 })
    add({ answer: 'stale', by: 900 }, { eni: 'eni-1' })
    expect(call({ action: 'DescribeInstances' }).lists).toEqual([])
    expect(call({ action: 'DescribeNetworkInterfaces' }).lists).toEqual([{ by: 5000 }, { by: 900, eni: 'eni-1' }])
  })

  const ids = (...names: string[]) => names as EniId[]
  const LISTING = { ...CALL, action: 'DescribeNetworkInterfaces' }

  test('lack the ENI that is named, or one of those that were found', () => {
    const { add, faults } = testFaults()
    add({ answer: 'missing' }, { eni: 'eni-1', node: 'node-a' })
    add({ answer: 'missing' }, { after: 2 })
    const found = (...names: string[]) => faults.onFound(LISTING, ids(...names))
    expect(found('eni-1', 'eni-2')).toEqual({ enis: ['eni-1'], faults: ['fault-1'] })
    expect(found('eni-2')).toEqual({ enis: [], faults: [] })
    expect(found('eni-1', 'eni-2')).toEqual({ enis: ['eni-1', 'eni-2'], faults: ['fault-1', 'fault-2'] })
    expect(faults.onFound({ ...LISTING, node: 'node-b' as NodeName }, ids('eni-1'))).toEqual({
      ...{ enis: ['eni-1'], faults: ['fault-2'] },
    })
  })

  test('that have nothing to lack do not count', () => {
    const { add, faults } = testFaults()
    add({ answer: 'missing' }, { eni: 'eni-1', nth: 1 })
    add({ answer: 'missing' }, { times: 1 })
    expect(faults.onFound(LISTING, [])).toEqual({ enis: [], faults: [] })
    expect(faults.list()).toMatchObject([
      { matched: 0, hits: 0 },
      { matched: 0, hits: 0 },
    ])
    expect(faults.onFound(LISTING, ids('eni-2')).enis).toEqual(['eni-2'])
    expect(faults.onFound(LISTING, ids('eni-1')).enis).toEqual(['eni-1'])
    expect(faults.list()).toMatchObject([{ hits: 1 }, { hits: 1 }])
  })
})

describe('transitions', () => {
  const eni = (id: string, instanceId: string) =>
    ({
      ...{ id, vSwitchId: 'vsw-sim-h' },
      state: { status: 'Attaching', instanceId: instanceId as InstanceId, deviceIndex: 1 },
    }) as Eni

  test('hang or fail by node, ENI and count', () => {
    const { add, faults } = testFaults()
    add({ attach: 'fail' }, { node: 'node-b' })
    add({ attach: 'hang' }, { eni: 'eni-1', nth: 2 })
    const attach = (id: string, instance: string) => faults.transition('attach', eni(id, instance))
    expect([attach('eni-1', 'i-sim-a'), attach('eni-1', 'i-sim-a'), attach('eni-1', 'i-sim-a')]).toEqual([
      ...[undefined, 'hang', undefined],
    ])
    expect(attach('eni-2', 'i-sim-b')).toBe('fail')
    expect(faults.transition('detach', eni('eni-2', 'i-sim-b'))).toBeUndefined()
  })

  test('a vSwitch reports what it is told to, for a while', () => {
    const { add, faults, pass } = testFaults()
    const free = (id: string) => faults.availableIps({ id } as VSwitch, 'call')
    add({ vSwitch: 'vsw-sim-h', availableIps: 0 }, { for: 1000 })
    expect([free('vsw-sim-h'), free('vsw-sim-i')]).toEqual([0, undefined])
    pass(1000)
    expect(free('vsw-sim-h')).toBeUndefined()
    expect(faults.list()).toMatchObject([{ hits: 1 }])
  })

  test('who only looks at a vSwitch is told the same, and it does not count', () => {
    const { add, faults } = testFaults()
    add({ vSwitch: 'vsw-sim-h', availableIps: 7 })
    expect(faults.availableIps({ id: 'vsw-sim-h' } as VSwitch, 'onlooker')).toBe(7)
    expect(faults.list()).toMatchObject([{ matched: 0, hits: 0 }])
  })
})

test('metadata by node and path', () => {
  const { add, faults } = testFaults()
  add({ metadata: { status: 429 } }, { path: 'meta-data/ram/*', node: 'node-a' })
  add({ metadata: { status: 'timeout' } }, { path: 'api/token', times: 1 })
  const ask = (node: string, path: string) => faults.onMetadata(node as NodeName, path)
  expect([ask('node-a', 'meta-data/ram/x'), ask('node-b', 'meta-data/ram/x'), ask('node-a', 'meta-data/mac')]).toEqual([
    ...[429, undefined, undefined],
  ])
  expect([ask('node-b', 'api/token'), ask('node-b', 'api/token')]).toEqual(['timeout', undefined])
})

test('faults can be taken back, and all that happens is in the log', () => {
  const { add, faults, strikes } = testFaults()
  add(ERROR)
  add({ delay: 1 }, { action: 'Describe*' })
  strikes(1)
  expect([faults.remove('fault-1'), faults.remove('fault-1'), faults.removeAll(), faults.size]).toEqual([
    ...[true, false, 1, 0],
  ])
  expect(strikes(1)).toEqual([0])
  expect(faults.changes.map(({ fault, change, on }) => [fault, change, on])).toEqual([
    ['fault-1', 'added', undefined],
    ['fault-2', 'added', undefined],
    ['fault-1', 'acted', 'CreateNetworkInterface'],
    ['fault-1', 'removed', undefined],
    ['fault-2', 'removed', undefined],
  ])
})

test('there is an end to how many there can be', () => {
  const { add } = testFaults()
  for (let i = 0; i < 1000; i++) add(ERROR)
  expect(() => add(ERROR)).toThrow('there are 1000 faults')
})

describe('chance', () => {
  /** Which of a thousand calls are struck. */
  const struck = (seed: number, others = 0) => {
    const { add, call } = testFaults(seed)
    add(ERROR, { probability: 0.5 })
    for (let i = 0; i < others; i++) add({ delay: 1 }, { probability: 0.3 })
    return Array.from({ length: 1000 }, () => call().outcome !== undefined)
  }

  test('is the same for the same seed and calls, whatever other faults there are', () => {
    const first = struck(7)
    expect(struck(7)).toEqual(first)
    expect(struck(7, 3)).toEqual(first)
    expect(struck(8)).not.toEqual(first)
  })

  describe('is a matter of the fault alone', () => {
    const HALF = { probability: 0.5 }
    const draws = ({ call }: ReturnType<typeof testFaults>) => Array.from({ length: 64 }, () => call().faults.join())
    const alone = (() => {
      const world = testFaults()
      world.add(ERROR, HALF)
      return draws(world).map((ids) => ids !== '')
    })()

    test.each<[string, (world: ReturnType<typeof testFaults>) => void]>([
      ['after another one', ({ add }) => add({ delay: 1 }, { action: 'Attach*' })],
      ['after one that was taken back', ({ add, faults }) => faults.remove(add({ delay: 1 }).id)],
      ['after an equal one that was taken back', ({ add, faults }) => faults.remove(add(ERROR, HALF).id)],
    ])('%s', (_, before) => {
      const world = testFaults()
      before(world)
      const { id } = world.add(ERROR, HALF)
      world.add(ERROR, { ...HALF, action: 'Attach*' })
      expect(draws(world).map((ids) => ids === id)).toEqual(alone)
    })

    test('and whatever its name is', () => {
      const { faults, call } = testFaults()
      const body = { name: 'n', select: HALF, effect: ERROR }
      faults.add(parseFault(body, { region: testRegion(), actions: ACTIONS }))
      expect(Array.from({ length: 64 }, () => call().faults.length === 1)).toEqual(alone)
    })

    test('equal ones strike different calls, also when the first one makes room for a third', () => {
      const { add, faults, call } = testFaults()
      const DELAY = { delay: 1 }
      const [first, second] = [add(DELAY, HALF), add(DELAY, HALF)]
      faults.remove(first.id)
      const third = add(DELAY, HALF)
      const struck = Array.from({ length: 64 }, () => call().faults)
      const by = (id: string) => struck.map((ids) => ids.includes(id))
      expect(by(second.id)).not.toEqual(by(third.id))
    })
  })

  test('is as likely as it is said to be', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (seed) => {
        const count = struck(seed).filter(Boolean).length
        // Six standard deviations.
        expect(Math.abs(count - 500)).toBeLessThan(95)
      }),
      { numRuns: 50 },
    )
  })
})
