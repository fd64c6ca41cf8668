/** Node's own HTTP/2 (nghttp2) as the server: what it sends when it is asked for the unusual. */
import { once } from 'node:events'
import {
  constants,
  createServer,
  type Http2Server,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
  type ServerOptions,
  sensitiveHeaders,
} from 'node:http2'
import { connect } from 'node:net'
import { afterAll, afterEach, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { contentOf, FrameReader } from '../../cni-plugin/grpc/frame.ts'
import { type Field, HeaderDecoder } from '../../cni-plugin/grpc/hpack.ts'
import { call, failure, INVOCATION } from './client.ts'
import * as wire from './frames.ts'
import { Scratch } from './scratch.ts'

const scratch = new Scratch()
afterAll(() => scratch.remove())

const servers: Http2Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function listen(serve: (stream: ServerHttp2Stream) => void, options: ServerOptions = {}): Promise<string> {
  const socket = scratch.socket()
  const server = createServer(options, undefined)
  server.on('stream', (stream) => {
    stream.on('error', () => stream.destroy()) // a client that gives up is not what is tested
    serve(stream)
  })
  servers.push(server)
  server.listen(socket)
  await once(server, 'listening')
  return socket
}

const GRPC = { 'content-type': 'application/grpc' }
const outcome = (text: string): Buffer => wire.message(Buffer.concat([Buffer.of(0x0a, text.length), Buffer.from(text)]))

/** Answers with the body and trailers. */
function answer(stream: ServerHttp2Stream, body: Buffer, trailers: OutgoingHttpHeaders = { 'grpc-status': '0' }): void {
  stream.respond({ ':status': 200, ...GRPC }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  stream.end(body)
}

async function bodyOf(stream: ServerHttp2Stream): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}

test.each<[what: string, options: ServerOptions]>([
  ['a window of 100 bytes', { settings: { initialWindowSize: 100 } }],
  ['no window at first', { settings: { initialWindowSize: 0 } }],
  ['a window of 10 MB and frames of 1 MB', { settings: { initialWindowSize: 10_000_000, maxFrameSize: 1_000_000 } }],
  ['padding everywhere', { paddingStrategy: constants.PADDING_STRATEGY_MAX }],
  ['no header table', { settings: { headerTableSize: 0 } }],
])('a large request and a large reply with %s', async (what, options) => {
  const config = Buffer.alloc(what.startsWith('a window of 100') ? 5_000 : 300_000, 'terway')
  const socket = await listen((stream) => {
    if (options.settings?.initialWindowSize === 0) stream.session?.settings({ initialWindowSize: 70_000 })
    void bodyOf(stream).then((body) => answer(stream, body.includes(config) ? outcome('same') : outcome('other')))
  }, options)
  expect(await call(socket, { invocation: { ...INVOCATION, config } })).toEqual({ result: Buffer.from('same') })
})

test('a head of status 103, a ping and a GOAWAY that includes the call', async () => {
  const socket = await listen((stream) => {
    stream.additionalHeaders({ ':status': 103, link: '<a>' })
    stream.session?.ping(() => {
      stream.session?.goaway(constants.NGHTTP2_NO_ERROR, 1)
      answer(stream, outcome('late'))
    })
  })
  expect(await call(socket)).toEqual({ result: Buffer.from('late') })
})

test('an answer before the request is read', async () => {
  const invocation = { ...INVOCATION, config: Buffer.alloc(1_000_000) }
  const socket = await listen((stream) => answer(stream, outcome('early')))
  expect(await call(socket, { invocation })).toEqual({ result: Buffer.from('early') })
})

test('a status message of many frames', async () => {
  const text = 'käse '.repeat(5_000)
  const socket = await listen((stream) => {
    answer(stream, Buffer.alloc(0), { 'grpc-status': '9', 'grpc-message': encodeURIComponent(text) })
  })
  expect(await failure(socket)).toBe(`failed: ${text}`)
})

test.each([
  [constants.NGHTTP2_NO_ERROR, 'failed: the server reset the stream: NO_ERROR'],
  [constants.NGHTTP2_REFUSED_STREAM, 'unreachable: the server reset the stream: REFUSED_STREAM'],
  [constants.NGHTTP2_CANCEL, 'unreachable: the server reset the stream: CANCEL'],
  [constants.NGHTTP2_ENHANCE_YOUR_CALM, 'failed: the server reset the stream: ENHANCE_YOUR_CALM'],
])('a stream that is reset with %i', async (code, expected) => {
  const socket = await listen((stream) => stream.close(code))
  expect(await failure(socket)).toBe(expected)
})

test('a page that is no gRPC', async () => {
  const socket = await listen((stream) => {
    stream.respond({ ':status': 404, 'content-type': 'text/html' })
    stream.end('<html>')
  })
  expect(await failure(socket)).toBe('failed: no grpc-status in the response (HTTP status 404)')
})

test('a session that is destroyed in the middle', async () => {
  const socket = await listen((stream) => stream.session?.destroy())
  expect(await failure(socket)).toMatch(/^unreachable: /)
})

test('at the deadline the stream is cancelled', async () => {
  let aborted: Promise<unknown> = Promise.resolve()
  let opened: ServerHttp2Stream | undefined
  const socket = await listen((stream) => {
    opened = stream
    aborted = once(stream, 'close')
  })
  expect(await failure(socket, { timeoutMs: 200 })).toMatch(/^timeout/)
  await aborted
  expect(opened?.rstCode).toBe(constants.NGHTTP2_CANCEL)
})

/** All header blocks of the answer to a request, as bytes, in order. */
async function blocksOf(socket: string, opening: Buffer): Promise<Buffer[]> {
  const reader = new FrameReader()
  const blocks: Buffer[] = []
  const connection = connect({ path: socket })
  connection.write(opening)
  for await (const bytes of connection) {
    reader.push(bytes)
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
      if (frame.type === wire.HEADERS) blocks.push(contentOf(frame))
      if (frame.type === wire.HEADERS && (frame.flags & wire.END_STREAM) !== 0) return blocks
    }
  }
  throw new Error('the connection ended before the stream')
}

const text = (from: number, to: number) =>
  fc.array(fc.integer({ min: from, max: to }), { maxLength: 60 }).map((all) => String.fromCharCode(...all).trim())
/** Names that repeat, so that blocks refer to each other, and values of every byte that a value may hold. */
const anyFields = fc.dictionary(
  fc.constantFrom('x-a', 'x-b', 'x-c', 'grpc-message', 'server', 'x-bin'),
  fc.oneof(text(0x21, 0x7e), text(0xa1, 0xff), text(0x30, 0x39)),
)

test('header fields arrive as Node was given them, whatever the size of the table', async () => {
  let given: { infos: object[]; head: object; trailers: object; secret: string[] } | undefined
  const socket = await listen((stream) => {
    if (given === undefined) throw new Error('nothing is given')
    for (const info of given.infos) stream.additionalHeaders({ ':status': 103, ...info })
    const { trailers, secret } = given
    stream.respond(
      { ':status': 200, date: 'today', ...given.head, [sensitiveHeaders]: secret },
      { waitForTrailers: true },
    )
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': '1', ...trailers }))
    stream.end()
  })
  const request = wire.block({ ':method': 'POST', ':scheme': 'http', ':path': '/', ':authority': 'localhost' })
  const fieldsOf = (fields: object): Field[] => Object.entries(fields)
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        infos: fc.array(anyFields, { maxLength: 4 }),
        head: anyFields,
        trailers: anyFields,
        secret: fc.subarray(['x-a', 'server']),
      }),
      fc.constantFrom(0, 64, 200, 4_096),
      async (fields, tableSize) => {
        given = fields
        const opening = [
          Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
          wire.settings([1, tableSize]),
          wire.frame(wire.HEADERS, wire.END_HEADERS | wire.END_STREAM, 1, request),
        ]
        const decoder = new HeaderDecoder()
        const blocks = await blocksOf(socket, Buffer.concat(opening))
        const sorted = blocks.map((block) => decoder.decode(block, 65_536).toSorted())
        expect(sorted).toEqual(
          [
            ...fields.infos.map((info) => [[':status', '103'], ...fieldsOf(info)]),
            [[':status', '200'], ['date', 'today'], ...fieldsOf(fields.head)],
            [['x-end', '1'], ...fieldsOf(fields.trailers)],
          ].map((block) => block.toSorted()),
        )
      },
    ),
    { numRuns: 200 },
  )
})
