import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Cidr, parseCidr } from '../../inet/address.ts'
import { testRegion } from '../../test/simulator/region.ts'
import type { EniId, InstanceId, RouteEntryId, RouteTableId } from '../region/ids.ts'
import { ApiError } from './error.ts'
import { type NewRoute, type NextHop, type RouteChange, type RouteSelector, RouteTables } from './route-tables.ts'
import { Schedule } from './schedule.ts'

const SYSTEM = 'vtb-sim' as RouteTableId
const CUSTOM = 'vtb-custom' as RouteTableId
const NODE_A: NextHop = { instanceId: 'i-sim-a' as InstanceId }
const NODE_B: NextHop = { instanceId: 'i-sim-b' as InstanceId }
const NOWHERE: NextHop = { eniId: 'eni-x' as EniId }
const QUOTA = 3
const LATENCY = 100
const REGION = testRegion({
  vpc: { id: 'vpc-sim', cidr: '10.0.0.0/16', routeTables: [{ id: CUSTOM, vSwitches: ['vsw-sim-i'] }] },
  quotas: { routeEntries: QUOTA },
})

/** Tables whose time stands still until it is told to pass. */
function testTables() {
  let time = 1_000_000
  const schedule = new Schedule()
  const now = () => time
  const later = (run: () => void) => schedule.add(time + LATENCY, run)
  const tables = new RouteTables({ region: REGION, now, later, eni: () => undefined })
  const pass = (milliseconds: number) => {
    time += milliseconds
    for (let due = schedule.takeDue(time); due !== undefined; due = schedule.takeDue(time)) due.run()
  }
  return { tables, pass }
}

function route(destination: string, more: Partial<NewRoute> = {}): NewRoute {
  return {
    routeTable: SYSTEM,
    destination: parseCidr(destination),
    nextHop: NODE_A,
    name: '',
    description: '',
    ...more,
  }
}

function codeOf(call: () => unknown): string {
  try {
    call()
    return 'OK'
  } catch (error) {
    if (error instanceof ApiError) return error.code
    throw error
  }
}

const REAL = { dryRun: false }
const codesOf = (outcomes: readonly unknown[]) =>
  outcomes.map((outcome) => (outcome instanceof ApiError ? outcome.code : 'OK'))
const statesOf = (tables: RouteTables) => tables.entries().map(({ state }) => state)

test('an entry is created and deleted, each in its time and with a line in the log', () => {
  const { tables, pass } = testTables()
  const { id } = tables.create(route('172.16.0.0/24'), REAL)
  expect(tables.version).toBe(1)
  pass(LATENCY - 1)
  expect(statesOf(tables)).toEqual(['Creating'])
  pass(1)
  expect(tables.entries()).toEqual([
    { ...route('172.16.0.0/24'), id, state: 'Available', changedAt: 1_000_000 + LATENCY },
  ])
  tables.remove({ id }, REAL)
  expect(statesOf(tables)).toEqual(['Deleting'])
  pass(LATENCY)
  expect(tables.entries()).toEqual([])
  expect(tables.changes.map(({ change }) => change)).toEqual(['Creating', 'Available', 'Deleting', 'gone'])
  expect(tables.version).toBe(4)
})

describe('one task at a time', () => {
  test('whatever its table', () => {
    const { tables, pass } = testTables()
    tables.create(route('172.16.0.0/24'), REAL)
    const other = route('172.16.1.0/24', { routeTable: CUSTOM })
    expect(codeOf(() => tables.create(other, REAL))).toBe('TaskConflict')
    pass(LATENCY)
    expect(codeOf(() => tables.create(other, REAL))).toBe('OK')
    expect(codeOf(() => tables.remove({ destination: parseCidr('172.16.0.0/24') }, REAL))).toBe('TaskConflict')
  })

  test('the entry itself is told of before the task', () => {
    const { tables, pass } = testTables()
    const { id } = tables.create(route('172.16.0.0/24'), REAL)
    expect(codeOf(() => tables.remove({ id }, REAL))).toBe('IncorrectRouteEntryStatus')
    expect(codeOf(() => tables.create(route('172.16.0.0/24'), REAL))).toBe('IncorrectRouteEntryStatus')
    pass(LATENCY)
    expect(codeOf(() => tables.create(route('172.16.0.0/24'), REAL))).toBe('InvalidCIDRBlock.Duplicate')
    tables.remove({ id }, REAL)
    expect(codeOf(() => tables.remove({ id }, REAL))).toBe('IncorrectRouteEntryStatus')
    pass(LATENCY)
    expect(codeOf(() => tables.remove({ id }, REAL))).toBe('InvalidRouteEntryId.NotFound')
  })

  test('a batch is one', () => {
    const { tables, pass } = testTables()
    const routes = ['172.16.0.0/24', '172.16.1.0/24', '172.16.0.0/24', '10.0.1.0/24'].map((to) => route(to))
    const outcomes = tables.createAll(routes, REAL)
    expect(codesOf(outcomes)).toEqual(['OK', 'OK', 'InvalidCIDRBlock.Duplicate', 'InvalidCidrBlock'])
    expect(statesOf(tables)).toEqual(['Creating', 'Creating'])
    expect(codeOf(() => tables.createAll([route('172.16.2.0/24')], REAL))).toBe('TaskConflict')
    // Nothing of this one would begin, so nothing is in its way.
    expect(codesOf(tables.createAll([route('10.0.1.0/24')], REAL))).toEqual(['InvalidCidrBlock'])
    pass(LATENCY)
    const selectors = [...tables.entries(), ...tables.entries()].map(({ id }) => ({ id }))
    const twice = 'IncorrectRouteEntryStatus'
    expect(codesOf(tables.removeAll(selectors, REAL))).toEqual(['OK', 'OK', twice, twice])
    pass(LATENCY)
    expect(tables.entries()).toEqual([])
  })
})

test('the quota is a table’s own and counts what is being deleted', () => {
  const { tables, pass } = testTables()
  const routes = Array.from({ length: QUOTA + 1 }, (_, i) => route(`172.16.${i}.0/24`))
  expect(codesOf(tables.createAll(routes, REAL))).toEqual(['OK', 'OK', 'OK', 'QuotaExceeded'])
  pass(LATENCY)
  expect(codeOf(() => tables.create(route('172.17.0.0/24'), REAL))).toBe('QuotaExceeded')
  tables.remove({ destination: parseCidr('172.16.0.0/24') }, REAL)
  expect(codeOf(() => tables.create(route('172.17.0.0/24'), REAL))).toBe('QuotaExceeded')
  pass(LATENCY)
  expect(codeOf(() => tables.create(route('172.17.0.0/24', { routeTable: CUSTOM }), REAL))).toBe('OK')
})

test('a dry run says what would be and does nothing', () => {
  const { tables, pass } = testTables()
  const dry = { dryRun: true }
  expect(codeOf(() => tables.create(route('172.16.0.0/24'), dry))).toBe('DryRunOperation')
  expect(codeOf(() => tables.create(route('10.0.1.0/24'), dry))).toBe('InvalidCidrBlock')
  const { id } = tables.create(route('172.16.0.0/24'), REAL)
  expect(id).toBe('rte-sim00000001')
  pass(LATENCY)
  expect(codeOf(() => tables.remove({ id }, dry))).toBe('DryRunOperation')
  expect(statesOf(tables)).toEqual(['Available'])
})

type Step =
  | { readonly wait: number }
  | { readonly create: readonly NewRoute[]; readonly dryRun: boolean }
  | { readonly remove: readonly RouteSelector[]; readonly dryRun: boolean }

/** The last three cannot be routed. */
const destination = fc
  .constantFrom(
    '172.16.0.0/24',
    '172.16.1.0/24',
    '0.0.0.0/0',
    '10.0.0.0/16',
    '10.0.1.0/24',
    '100.64.1.0/24',
    'fd00::/64',
  )
  .map(parseCidr)
const table = fc.constantFrom(SYSTEM, CUSTOM)
const newRoute: fc.Arbitrary<NewRoute> = fc.record({
  routeTable: table,
  destination,
  nextHop: fc.constantFrom(NODE_A, NODE_B, NOWHERE),
  name: fc.constant(''),
  description: fc.constant(''),
})
const selector: fc.Arbitrary<RouteSelector> = fc.oneof(
  fc.integer({ min: 1, max: 9 }).map((number) => ({ id: `rte-sim0000000${number}` as RouteEntryId })),
  fc.record({ routeTable: table, destination, nextHopId: fc.constantFrom('i-sim-a', 'i-sim-b') }),
)
/** Mostly real ones. */
const dryRun = fc.constantFrom(false, false, false, true)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.integer({ min: 0, max: LATENCY }).map((wait) => ({ wait })) },
  { weight: 3, arbitrary: fc.record({ create: fc.array(newRoute, { minLength: 1, maxLength: 3 }), dryRun }) },
  { weight: 2, arbitrary: fc.record({ remove: fc.array(selector, { minLength: 1, maxLength: 3 }), dryRun }) },
)

const LEGAL: Readonly<Record<string, readonly string[]>> = {
  '': ['Creating'],
  Creating: ['Available'],
  Available: ['Deleting'],
  Deleting: ['gone'],
  gone: [],
}

function checkState(tables: RouteTables): void {
  const entries = tables.entries()
  const places = entries.map((entry) => `${entry.routeTable} ${entry.destination}`)
  expect(new Set(places).size).toBe(places.length)
  for (const id of [SYSTEM, CUSTOM]) {
    expect(entries.filter((entry) => entry.routeTable === id).length).toBeLessThanOrEqual(QUOTA)
  }
  const running = entries.filter((entry) => entry.state !== 'Available')
  expect(new Set(running.map((entry) => `${entry.state} since ${entry.changedAt}`)).size).toBeLessThanOrEqual(1)
  const routable: readonly Cidr[] = ['172.16.0.0/24', '172.16.1.0/24', '0.0.0.0/0', '10.0.0.0/16'].map(parseCidr)
  for (const entry of entries) expect(routable).toContain(entry.destination)
}

function checkHistory(changes: readonly RouteChange[]): void {
  const last = new Map<RouteEntryId, string>()
  for (const { routeEntry, change } of changes) {
    expect(LEGAL[last.get(routeEntry) ?? '']).toContain(change)
    last.set(routeEntry, change)
  }
}

/** @returns how many entries the call has set going; 0 when it was refused. */
function apply(tables: RouteTables, next: Exclude<Step, { wait: number }>): number {
  try {
    const outcomes = 'create' in next ? tables.createAll(next.create, next) : tables.removeAll(next.remove, next)
    return codesOf(outcomes).filter((code) => code === 'OK').length
  } catch (error) {
    if (error instanceof ApiError) return 0
    throw error
  }
}

test('destinations are unique, the quota holds, one task runs, states are legal, refusals change nothing', () => {
  const run = (steps: readonly Step[]) => {
    const { tables, pass } = testTables()
    for (const next of steps) {
      const [before, version] = [tables.entries(), tables.version]
      if ('wait' in next) {
        pass(next.wait)
      } else {
        const begun = apply(tables, next)
        expect(tables.version - version).toBe(begun)
        if (begun === 0) expect(tables.entries()).toEqual(before)
      }
      checkState(tables)
    }
    pass(LATENCY)
    expect(statesOf(tables).filter((state) => state !== 'Available')).toEqual([])
    checkHistory(tables.changes)
    expect(tables.changes).toHaveLength(tables.version)
  }
  fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), run), { numRuns: 300 })
})
