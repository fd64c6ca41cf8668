import { expect, test } from '@jest/globals'
import { score } from './score.ts'
import { type Row, renderJson, renderTable } from './table.ts'

const of = (waits: readonly number[]) =>
  score({ waits, unserved: 0, idle: [], enis: [{ at: 0, value: 2 }], calls: { create: 1 }, horizon: 3_600_000 })
const ROWS: readonly Row[] = [
  { trace: 'steady', strategy: 'original 10/25', score: of([0, 1500]) },
  { trace: 'ci', strategy: 'aws', score: of([0, 0, 0, 123_456]) },
]

test('columns are aligned, numbers to the right, and traces apart', () => {
  expect(renderTable(ROWS).split('\n')).toEqual([
    'trace   strategy        pods  unserved  calls/pod  waited %  mean s  p50 s   p99 s   max s  idle addr-h  ENI-h',
    'steady  original 10/25     2         0      0.500      50.0    0.75   0.00    1.50    1.50          0.0    2.0',
    '',
    'ci      aws                4         0      0.250      25.0   30.86   0.00  123.46  123.46          0.0    2.0',
  ])
})

test('a line of JSON is a row with its score in ms', () => {
  const lines = renderJson(ROWS)
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines).toHaveLength(2)
  expect(lines[1]).toMatchObject({
    trace: 'ci',
    strategy: 'aws',
    pods: 4,
    wait: { max: 123_456 },
    calls: { create: 1 },
  })
})
