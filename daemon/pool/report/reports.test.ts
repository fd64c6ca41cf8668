import { expect, test } from '@jest/globals'
import { pino } from 'pino'
import { KeptReports } from './reports.ts'
import type { NodeCondition } from './sufficiency.ts'

const GOOD: NodeCondition = {
  ...{ type: 'SufficientIP', status: 'True', reason: 'SufficientIP', message: 'pods can be given addresses' },
  ...{ since: 1, seen: 1 },
}
const BAD: NodeCondition = {
  ...{ type: 'SufficientIP', status: 'False', reason: 'InsufficientIP', message: 'no free address in vsw-h' },
  ...{ since: 2, seen: 2 },
}

function reportsOf(...conditions: readonly NodeCondition[]) {
  const lines: string[] = []
  const reports = new KeptReports(pino({}, { write: (line) => lines.push(JSON.parse(line).msg) }))
  for (const condition of conditions) reports.condition(condition)
  return { reports, lines }
}

test('a change of the condition is told once, as an event and in the log', () => {
  const { reports, lines } = reportsOf(GOOD, GOOD, BAD, { ...BAD, seen: 3 }, { ...GOOD, since: 40_000, seen: 40_000 })
  expect(lines).toEqual(['no free address in vsw-h', 'pods can be given addresses'])
  expect(reports.events.latest).toMatchObject([
    { time: 2, level: 'warning', reason: 'IPExhausted', message: 'no free address in vsw-h' },
    { time: 40_000, level: 'normal', reason: 'IPRestored' },
  ])
})

test('the condition is the one told last', () => {
  expect(reportsOf().reports.current).toBeUndefined()
  expect(reportsOf(BAD, { ...BAD, seen: 3 }).reports.current).toEqual({ ...BAD, seen: 3 })
})

test('a daemon that begins short of addresses says so', () => {
  expect(reportsOf(BAD).lines).toEqual(['no free address in vsw-h'])
})

test('events are kept', () => {
  const { reports } = reportsOf()
  reports.event({ time: 1, level: 'normal', reason: 'AttachENISucceed', message: 'attached' })
  expect(reports.events.latest).toHaveLength(1)
})
