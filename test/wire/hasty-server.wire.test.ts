/** A daemon that answers and is gone before it is asked, and one that is too busy to accept. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from '@jest/globals'
import { ANSWER, answerOf, outcome, RESULT } from './answer.ts'
import { call, failure, INVOCATION } from './client.ts'
import { settings, trailers } from './frames.ts'
import { Scratch } from './scratch.ts'

const PROGRAM = join(import.meta.dirname, 'hasty-server.ts')

const scratch = new Scratch()
afterAll(() => scratch.remove())

const children: ChildProcess[] = []
const waiting: Socket[] = []
afterEach(() => {
  for (const connection of waiting.splice(0)) connection.destroy()
  for (const child of children.splice(0)) child.kill()
})

/** A daemon that listens and does not accept until it is let. */
async function start(answer: Buffer): Promise<string> {
  const socket = scratch.socket()
  writeFileSync(`${socket}.answer`, answer)
  const child = spawn(process.execPath, [PROGRAM, socket, `${socket}.answer`], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  await once(child.stdout, 'data')
  return socket
}

function letAccept(socket: string): void {
  writeFileSync(`${socket}.go`, '')
}

/** Lets the daemon answer and close, and blocks until it has: nothing of the client runs meanwhile. */
function letAnswer(socket: string): void {
  letAccept(socket)
  const pause = new Int32Array(new SharedArrayBuffer(4))
  while (!existsSync(`${socket}.gone`)) Atomics.wait(pause, 0, 0, 1)
}

test.each([
  ['a small request', 2],
  ['a request larger than the socket takes', 1_000_000],
])('an answer is read though it came before %s and its sender has closed', async (_what, size) => {
  const socket = await start(ANSWER)
  const invocation = { ...INVOCATION, config: Buffer.alloc(size) }
  expect(await call(socket, { invocation, onConnect: () => letAnswer(socket) })).toEqual(RESULT)
})

test('so is an answer that is read in pieces', async () => {
  const result = 'x'.repeat(100_000)
  const socket = await start(answerOf(outcome(result)))
  expect(await call(socket, { onConnect: () => letAnswer(socket) })).toEqual({ result: Buffer.from(result) })
})

test('so is an error', async () => {
  const error = trailers({ ':status': '200', 'grpc-status': '9', 'grpc-message': 'no such pod' })
  const socket = await start(Buffer.concat([settings(), error]))
  expect(await failure(socket, { onConnect: () => letAnswer(socket) })).toBe('failed: no such pod')
})

test('half an answer is none', async () => {
  const socket = await start(ANSWER.subarray(0, -1))
  expect(await failure(socket, { onConnect: () => letAnswer(socket) })).toMatch(
    /^unreachable: (read ECONNRESET|the connection was closed before the answer)$/,
  )
})

/** Connects until the queue of the daemon is full. */
async function fillQueue(socket: string): Promise<void> {
  for (;;) {
    const connection = connect({ path: socket })
    waiting.push(connection)
    const refused = await new Promise<string | undefined>((resolve) => {
      connection.once('connect', () => resolve(undefined))
      connection.on('error', ({ message }) => resolve(message))
    })
    if (refused === undefined) continue
    expect(refused).toBe(`connect EAGAIN ${socket}`)
    return
  }
}

test('who finds the queue full waits until there is room', async () => {
  const socket = await start(ANSWER)
  await fillQueue(socket)
  // The first attempt of each is made, and in vain, before the call is out of hand.
  const calls = Array.from({ length: 5 }, () => call(socket))
  letAccept(socket)
  expect(await Promise.all(calls)).toEqual(calls.map(() => RESULT))
})

test('at the deadline the wait for room is over', async () => {
  const socket = await start(ANSWER)
  await fillQueue(socket)
  expect(await failure(socket, { timeoutMs: 200 })).toBe(`timeout: no connection in time: connect EAGAIN ${socket}`)
})
