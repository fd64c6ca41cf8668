/** Servers that do what a server may do and a peaceful one does not: made of bytes. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, expect, test } from '@jest/globals'
import { ANSWER, answerOf, outcome, RESULT } from './answer.ts'
import { call, failure, INVOCATION, runFromSource } from './client.ts'
import { frame, framesIn, RST_STREAM, settings, u32 } from './frames.ts'
import { Scratch } from './scratch.ts'

const scratch = new Scratch()
afterAll(() => scratch.remove())

const servers: Server[] = []
const connections: Socket[] = []
afterEach(() => {
  for (const connection of connections.splice(0)) connection.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function listen(serve: (connection: Socket) => void): Promise<string> {
  const socket = scratch.socket()
  const server = createServer((connection) => {
    connections.push(connection)
    connection.on('error', () => connection.destroy()) // a client that is gone is not what is tested
    serve(connection)
  })
  servers.push(server)
  server.listen(socket)
  await once(server, 'listening')
  return socket
}

test('an answer that comes with the connection, before anything was read', async () => {
  const socket = await listen((connection) => connection.write(ANSWER))
  expect(await call(socket)).toEqual(RESULT)
})

test('an answer byte by byte', async () => {
  const socket = await listen((connection) => {
    connection.setNoDelay()
    void (async () => {
      for (const byte of ANSWER) {
        connection.write(Buffer.of(byte))
        await sleep(1)
      }
    })()
  })
  expect(await call(socket)).toEqual(RESULT)
})

test('a connection that ends after any number of bytes is a daemon out of reach', async () => {
  const socket = await listen((connection) => {
    connection.once('data', () => connection.end(ANSWER.subarray(0, length)))
  })
  let length = 0
  for (; length < ANSWER.length; length += 1) {
    expect(await failure(socket)).toBe('unreachable: the connection was closed before the answer')
  }
  expect(await call(socket)).toEqual(RESULT)
})

test.each([2, 65_536, 100_000, 4_000_000])('a reply of %i bytes whose sender closes right behind it', async (size) => {
  const text = 'x'.repeat(size)
  const answer = answerOf(outcome(text))
  const socket = await listen((connection) => {
    connection.once('data', () => connection.write(answer, () => connection.destroy()))
  })
  const { result } = await call(socket)
  expect(result?.equals(Buffer.from(text))).toBe(true)
})

test('a connection that breaks is a daemon out of reach', async () => {
  // What was not read when a unix socket is closed resets the connection.
  const socket = await listen((connection) => connection.pause().destroy())
  expect(await failure(socket)).toMatch(/^unreachable: (read ECONNRESET|write EPIPE|the connection was closed)/)
})

test('who is not there', async () => {
  const missing = scratch.socket()
  expect(await failure(missing)).toBe(`unreachable: connect ENOENT ${missing}`)
  const file = scratch.socket()
  writeFileSync(file, '')
  expect(await failure(file)).toBe(`unreachable: connect ECONNREFUSED ${file}`)
})

test('who speaks something else', async () => {
  const socket = await listen((connection) => connection.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'))
  expect(await failure(socket)).toMatch(/^failed: what answers is no HTTP\/2 server: FRAME_SIZE_ERROR/)
})

test('a call that has ended leaves no timer that would keep the process', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const socket = await listen((connection) => connection.write(ANSWER))
  const before = timers()
  await call(socket)
  expect(timers()).toBe(before)
})

test('who says nothing is told that it is too late', async () => {
  const received: Buffer[] = []
  let closed: Promise<unknown> = Promise.resolve()
  const socket = await listen((connection) => {
    connection.write(settings())
    connection.on('data', (bytes: Buffer) => received.push(bytes))
    closed = once(connection, 'close')
  })
  expect(await failure(socket, { timeoutMs: 200 })).toBe('timeout: no answer in time')
  await closed
  const bytes = Buffer.concat(received)
  const frames = framesIn(bytes.subarray(bytes.indexOf('SM\r\n\r\n') + 6))
  expect(frames.at(-1)).toEqual({ type: RST_STREAM, flags: 0, stream: 1, payload: u32(8) })
})

test('who reads nothing is left at the deadline', async () => {
  const socket = await listen((connection) => {
    connection.pause()
    connection.write(Buffer.concat([settings([4, 0x7fff_ffff]), frame(8, 0, 0, u32(0x7000_0000))]))
  })
  const invocation = { ...INVOCATION, config: Buffer.alloc(5_000_000) }
  expect(await failure(socket, { timeoutMs: 500, invocation })).toBe('timeout: no answer in time')
})

test('the whole plugin reports what it met, and leaves a DEL for later', async () => {
  const socket = await listen((connection) => connection.end('SSH-2.0-OpenSSH\r\n'))
  const add = await runFromSource(socket)
  expect(add.status).toBe(1)
  expect(JSON.parse(add.stdout)).toMatchObject({ code: 11, msg: expect.stringMatching(/^daemon-failed: .*no HTTP\/2/) })
  const away = await runFromSource(scratch.socket(), {
    verb: 'DEL',
    config: { spool_dir: `${scratch.directory}/spool` },
  })
  expect(away).toMatchObject({ status: 0, stdout: '', stderr: expect.stringContaining('connect ENOENT') })
})
