/** What the Cni service tells of calls beside their answers. */
import { join } from 'node:path'
import { credentials } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { Cni } from '../../proto/contract.ts'
import type { InspectHandlers } from '../../proto/generated/terway/inspect/v1/Inspect.ts'
import type { RepairHandlers } from '../../proto/generated/terway/repair/v1/Repair.ts'
import { type Call, PodsUnderTest, raw } from '../../test/kernel/pods-under-test.ts'
import { cniService, type FinishedCall } from './cni-service.ts'
import { type RunningServer, serve } from './server.ts'

let node: PodsUnderTest
let running: RunningServer
let client: InstanceType<typeof Cni>
let calls: FinishedCall[]
let lines: Record<string, unknown>[]

beforeEach(async () => {
  node = new PodsUnderTest('tw-cni-')
  await node.start()
  ;[calls, lines] = [[], []]
  const log = pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line)) })
  const cni = cniService({ pods: node.context, status: () => undefined, log, onCall: (call) => calls.push(call) })
  const socket = join(node.directory, 's')
  running = await serve(socket, { cni, inspect: {} as InspectHandlers, repair: {} as RepairHandlers })
  client = new Cni(`unix:${socket}`, credentials.createInsecure())
})

afterEach(async () => {
  client.close()
  await running.stop()
  await node.end()
})

type Method = 'add' | 'del'

/** @returns code of the CNI error in the answer, 0 without */
function call(method: Method, what: Partial<Call>): Promise<number> {
  return new Promise((resolve, reject) => {
    client[method](raw(what), (error, outcome) => (error === null ? resolve(outcome?.error?.code ?? 0) : reject(error)))
  })
}

const pod = (name: string): Partial<Call> => ({
  ...{ pod: name, containerId: name, netns: node.namespaces.create(name).path },
})

test('the phases of a call are told, and add up to it', async () => {
  const web = pod('web')
  expect([await call('add', web), await call('del', web)]).toEqual([0, 0])
  await node.context.removals.settled()
  expect(await call('del', web)).toBe(0)
  expect(calls.map(({ verb, code }) => [verb, code])).toEqual([
    ['ADD', 0],
    ['DEL', 0],
    ['DEL', 0],
  ])
  expect(calls.map(({ phases }) => [...phases.keys()])).toEqual([
    ['parse', 'queue', 'journal', 'acquire', 'plan', 'kernel', 'result'],
    ['parse', 'queue', 'journal', 'kernel', 'result'],
    ['parse', 'result'],
  ])
  for (const { phases, milliseconds } of calls) {
    expect([...phases.values()].reduce((sum, one) => sum + one, 0)).toBeCloseTo(milliseconds, 6)
  }
})

test('a call has one line in the log that says whose it was', async () => {
  const web = pod('web')
  await call('add', web)
  expect(await call('add', web)).toBe(101)
  const about = { verb: 'ADD', containerId: 'web', ifname: 'eth0', netns: web.netns, milliseconds: expect.any(Number) }
  const done = lines.filter(({ verb }) => verb === 'ADD')
  expect(done).toMatchObject([
    { ...about, level: 30, code: 0, msg: 'CNI call done' },
    { ...about, level: 40, code: 101, msg: 'CNI call failed' },
  ])
})
