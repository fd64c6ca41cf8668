/** The plugin's client and the server that the daemon runs. */
import { Server, ServerCredentials, status } from '@grpc/grpc-js'
import { afterAll, afterEach, expect, test } from '@jest/globals'
import { type RunningServer, serve } from '../../daemon/rpc/server.ts'
import { Cni } from '../../proto/contract.ts'
import type { CniHandlers } from '../../proto/generated/terway/cni/v1/Cni.ts'
import type { Invocation__Output as Invocation } from '../../proto/generated/terway/cni/v1/Invocation.ts'
import type { Outcome } from '../../proto/generated/terway/cni/v1/Outcome.ts'
import type { InspectHandlers } from '../../proto/generated/terway/inspect/v1/Inspect.ts'
import type { RepairHandlers } from '../../proto/generated/terway/repair/v1/Repair.ts'
import { call, failure, INVOCATION, runFromSource } from './client.ts'
import { Scratch } from './scratch.ts'

const scratch = new Scratch()
afterAll(() => scratch.remove())

let running: RunningServer | undefined
afterEach(async () => {
  await running?.stop()
  running = undefined
})

type Handler = CniHandlers['Add']

/** The daemon's own server with one handler for every verb; resolves to its socket. */
async function daemon(handler: Handler, socket = scratch.socket()): Promise<string> {
  const cni: CniHandlers = { Add: handler, Del: handler, Check: handler, Status: handler, Gc: handler }
  running = await serve(socket, { cni, inspect: {} as InspectHandlers, repair: {} as RepairHandlers })
  return socket
}

/** For what the daemon's own server does not do: to lack the service, or to die. */
function bind(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    )
  })
}

const answering = (answer: (invocation: Invocation, path: string) => Outcome): Handler => {
  return (request, reply) => reply(null, answer(request.request, request.getPath()))
}

test.each([
  ['ADD', 'Add'],
  ['DEL', 'Del'],
  ['CHECK', 'Check'],
  ['STATUS', 'Status'],
  ['GC', 'Gc'],
] as const)('%s reaches its method with everything the runtime gave', async (verb, method) => {
  const seen: unknown[] = []
  const socket = await daemon(
    answering((invocation, path) => {
      seen.push(invocation, path)
      return { result: Buffer.from('{}') }
    }),
  )
  expect(await call(socket, { verb })).toEqual({ result: Buffer.from('{}') })
  expect(seen).toEqual([INVOCATION, `/terway.cni.v1.Cni/${method}`])
})

test('an error of the daemon arrives whole', async () => {
  const error = { code: 4_000_000_000, msg: 'käse: 日本 100 %', details: '' }
  const socket = await daemon(answering(() => ({ error })))
  expect(await call(socket)).toEqual({ error })
})

test.each([200_000, 3_000_000])('a configuration of %i bytes arrives whole', async (size) => {
  const config = Buffer.from(Array.from({ length: size }, (_, i) => i % 251))
  const socket = await daemon(
    answering((invocation) => ({ result: Buffer.from(`${config.equals(invocation.config)}`) })),
  )
  expect(await call(socket, { invocation: { ...INVOCATION, config } })).toEqual({ result: Buffer.from('true') })
})

test.each([0, 16_384, 1_000_000, 4_000_000])('a result of %i bytes arrives whole', async (size) => {
  const result = Buffer.alloc(size, 'terway')
  const socket = await daemon(answering(() => ({ outcome: 'result', result })))
  const outcome = await call(socket)
  expect(outcome.result?.equals(result)).toBe(true)
})

test('a result that is too large is refused', async () => {
  const socket = await daemon(answering(() => ({ result: Buffer.alloc(4 * 1024 * 1024) })))
  expect(await failure(socket)).toMatch(/^failed: the reply has 4194309 bytes, over 4194304$/)
})

test.each([
  ['failed', status.INTERNAL],
  ['unreachable', status.UNAVAILABLE],
  ['unreachable', status.CANCELLED],
  ['timeout', status.DEADLINE_EXCEEDED],
] as const)('%s when the status is %i', async (expected, code) => {
  const socket = await daemon((_request, reply) => reply({ code, details: 'käse: 日本 100 %' }))
  expect(await failure(socket)).toBe(`${expected}: käse: 日本 100 %`)
})

test('a handler that throws is a failure', async () => {
  const socket = await daemon(() => {
    throw new Error('out of cheese')
  })
  expect(await failure(socket)).toMatch(/^failed: Unknown error$/)
})

test('a server without the service is a failure', async () => {
  const socket = scratch.socket()
  const server = new Server()
  await bind(server, socket)
  expect(await failure(socket)).toMatch(/^failed: .*\/terway\.cni\.v1\.Cni\/Add/)
  server.forceShutdown()
})

test('at the deadline the server is told, and it knew when that would be', async () => {
  const cancelled = Promise.withResolvers<number>()
  const socket = await daemon((request) => {
    request.on('cancelled', () => cancelled.resolve(Number(request.getDeadline())))
  })
  const began = Date.now()
  expect(await failure(socket, { timeoutMs: 300 })).toBe('timeout: no answer in time')
  const deadline = await cancelled.promise
  expect(deadline).toBeGreaterThanOrEqual(began + 300)
  expect(deadline).toBeLessThanOrEqual(Date.now() + 300)
})

test('a daemon that ends in the middle of a call, and the one after it', async () => {
  const socket = scratch.socket()
  const server = new Server()
  const die: Handler = () => server.forceShutdown()
  server.addService(Cni.service, { Add: die, Del: die, Check: die, Status: die, Gc: die })
  await bind(server, socket)
  expect(await failure(socket)).toMatch(/^unreachable: /)
  expect(await failure(socket)).toMatch(/^unreachable: connect E(NOENT|CONNREFUSED) /)
  await daemon(
    answering(() => ({ result: Buffer.from('back') })),
    socket,
  )
  expect(await call(socket)).toEqual({ result: Buffer.from('back') })
})

test('a hundred calls at once', async () => {
  const socket = await daemon(answering(({ containerId }) => ({ result: Buffer.from(containerId) })))
  const ids = Array.from({ length: 100 }, (_, i) => `container-${i}`)
  const outcomes = await Promise.all(
    ids.map((containerId) => call(socket, { invocation: { ...INVOCATION, containerId } })),
  )
  expect(outcomes.map(({ result }) => result?.toString())).toEqual(ids)
})

test('the whole plugin, from its source: the result on standard output, nothing else anywhere', async () => {
  const result = JSON.stringify({ filler: 'x'.repeat(1_000_000) })
  const socket = await daemon(answering(() => ({ result: Buffer.from(result) })))
  expect(await runFromSource(socket)).toEqual({ status: 0, stdout: result, stderr: '' })
})
