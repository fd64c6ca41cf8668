import { expect, test } from '@jest/globals'
import { type EniId, parseCloudId } from '../../../cloud/ids.ts'
import type { PodKey } from '../model.ts'
import { EventLog, type PoolEvent } from './events.ts'

const MINUTE = 60_000
const FAILED: PoolEvent = {
  ...{ time: 0, level: 'warning', reason: 'AllocIPFailed', message: 'no free address in vsw-h' },
  pod: 'ns/web-0' as PodKey,
}

function logOf(...events: PoolEvent[]): EventLog {
  const log = new EventLog()
  for (const event of events) log.add(event)
  return log
}

test('the same thing again within ten minutes is counted', () => {
  const log = logOf(FAILED, { ...FAILED, time: 9 * MINUTE }, { ...FAILED, time: 18 * MINUTE })
  expect(log.latest).toEqual([{ ...FAILED, time: 18 * MINUTE, first: 0, count: 3 }])
})

test('after ten minutes it is another event', () => {
  const log = logOf(FAILED, { ...FAILED, time: 10 * MINUTE })
  expect(log.latest.map(({ first, count }) => [first, count])).toEqual([
    [0, 1],
    [10 * MINUTE, 1],
  ])
})

test('a clock that was set back changes nothing', () => {
  expect(logOf({ ...FAILED, time: 60 * MINUTE }, FAILED).latest).toMatchObject([{ count: 2, time: 0 }])
})

test.each<Partial<PoolEvent>>([
  { level: 'normal' },
  { reason: 'CreateENIFailed' },
  { message: 'no free address in vsw-g' },
  { pod: 'ns/web-1' as PodKey },
  { eni: parseCloudId<EniId>('eni-1') },
])('what differs by %j is not the same', (other) => {
  expect(logOf(FAILED, { ...FAILED, ...other }).latest).toHaveLength(2)
})

test('what has one key is the same whatever its words, of which the newest are shown', () => {
  const event = (id: string, key = 'QuotaExceeded') => ({ ...FAILED, message: `refused (RequestId ${id})`, key })
  const log = logOf(event('R-1'), event('R-2'), event('R-3', 'Forbidden.RAM'))
  expect(log.latest.map(({ message, count }) => [message, count])).toEqual([
    ['refused (RequestId R-2)', 2],
    ['refused (RequestId R-3)', 1],
  ])
})

test('what has happened again is the latest', () => {
  const other = { ...FAILED, message: 'another' }
  const log = logOf(FAILED, { ...other, time: 1 }, { ...FAILED, time: 2 })
  expect(log.latest.map(({ message, count }) => [message, count])).toEqual([
    ['another', 1],
    [FAILED.message, 2],
  ])
})

test('the last hundred are kept, and all are counted by reason', () => {
  const log = new EventLog()
  for (let i = 0; i < 150; i++) log.add({ ...FAILED, time: i, message: `message ${i}` })
  log.add({ ...FAILED, reason: 'AttachENISucceed', level: 'normal' })
  expect(log.latest).toHaveLength(100)
  expect(log.latest[0]?.message).toBe('message 51')
  expect([...log.totals]).toEqual([
    ['AllocIPFailed', 150],
    ['AttachENISucceed', 1],
  ])
})
