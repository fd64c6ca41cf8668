import { closeSync, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { Registry } from 'prom-client'
import { createProcessMetrics, LoopDelay } from './process-metrics.ts'

/** Values of one collection by their names, labels included. */
async function collect(registry: Registry): Promise<ReadonlyMap<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}

const get = (values: ReadonlyMap<string, number>, name: string) => values.get(name) ?? Number.NaN

test('the process tells of its memory, descriptors, CPU time and start', async () => {
  const registry = new Registry()
  createProcessMetrics(registry)
  const before = await collect(registry)
  const open = openSync('/dev/null', 'r')
  const busy = process.cpuUsage().user + 20_000
  while (process.cpuUsage().user < busy);
  const after = await collect(registry)
  closeSync(open)
  expect(get(after, 'process_open_fds')).toBe(get(before, 'process_open_fds') + 1)
  expect(get(after, 'process_cpu_seconds_total')).toBeGreaterThan(get(before, 'process_cpu_seconds_total'))
  expect(get(after, 'process_resident_memory_bytes')).toBeGreaterThan(1_000_000)
  expect(get(after, 'process_start_time_seconds')).toBe(performance.timeOrigin / 1_000)
})

test('a loop that is held up is late by as much', async () => {
  const registry = new Registry()
  using _ = new LoopDelay(registry)
  const held = performance.now() + 400
  while (performance.now() < held);
  await sleep(1)
  const values = await collect(registry)
  // The first look was due long before the loop went on.
  expect(get(values, 'terway_event_loop_delay_seconds_sum')).toBeGreaterThan(0.3)
})

test('none is counted any more when it has ended', async () => {
  const registry = new Registry()
  new LoopDelay(registry)[Symbol.dispose]()
  await sleep(250)
  expect(get(await collect(registry), 'terway_event_loop_delay_seconds_count')).toBe(0)
})
