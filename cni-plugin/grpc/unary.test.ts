import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import * as wire from '../../test/wire/frames.ts'
import { MESSAGE_MAX } from './message.ts'
import { UnaryCall } from './unary.ts'

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const REQUEST = { path: '/a.B/C', userAgent: 'test/1', timeoutMs: 1500, message: Buffer.from('question') }
const { SETTINGS, HEADERS, DATA, PING, GOAWAY, RST_STREAM, WINDOW_UPDATE, CONTINUATION, PRIORITY } = wire
const { END_HEADERS, END_STREAM, ACK, frame, head, trailers, data, message, settings, u32, block } = wire

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** A call that is open, and the frames it began with. */
function open(body: Uint8Array = REQUEST.message) {
  const call = new UnaryCall({ ...REQUEST, message: body })
  const bytes = call.open()
  expect(bytes.subarray(0, PREFACE.length).toString()).toBe(PREFACE)
  return { call, sent: wire.framesIn(bytes.subarray(PREFACE.length)) }
}

/** What comes of the bytes of a server, as one text: the reply, or code and message. */
function endingOf({ ending }: UnaryCall): string {
  if (ending === undefined) return 'open'
  return ending.kind === 'reply' ? `reply ${ending.message.toString()}` : `${ending.error.code} ${ending.error.message}`
}

function receive(...frames: readonly Uint8Array[]) {
  const { call } = open()
  const answer = wire.framesIn(call.receive(Buffer.concat([settings(), ...frames])))
  expect(answer.shift()).toMatchObject({ type: SETTINGS, flags: ACK })
  return { ending: endingOf(call), answer, call }
}

const types = (frames: readonly wire.SentFrame[]): number[] => frames.map(({ type }) => type)
const goaway = (last: number, code: number, debug = ''): Buffer =>
  frame(GOAWAY, 0, 0, u32(last, code), Buffer.from(debug))
const REPLY = [head(), data(message('answer')), trailers()]

test('it begins with everything that is to be sent', () => {
  const { sent } = open()
  expect(types(sent)).toEqual([SETTINGS, WINDOW_UPDATE, HEADERS, DATA])
  const [own, window, request, body] = sent
  expect(own?.payload.toString('hex')).toBe('00020000000000047fffffff000600010000')
  expect(window).toMatchObject({ stream: 0, payload: u32(0x7fff_ffff - 65_535) })
  expect(request).toMatchObject({ flags: END_HEADERS, stream: 1 })
  expect(request?.payload).toEqual(
    block({
      ':method': 'POST',
      ':scheme': 'http',
      ':path': '/a.B/C',
      ':authority': 'localhost',
      'grpc-timeout': '1500m',
      te: 'trailers',
      'content-type': 'application/grpc',
      'user-agent': 'test/1',
    }),
  )
  expect(body).toMatchObject({ flags: END_STREAM, stream: 1, payload: message('question') })
})

test.each([
  [0.5, '1m'],
  [99_999_999, '99999999m'],
  [100_000_000, '100000S'],
])('%p ms are the timeout %s', (timeoutMs, expected) => {
  const bytes = new UnaryCall({ ...REQUEST, timeoutMs }).open()
  expect(bytes.toString('latin1')).toContain(`grpc-timeout${String.fromCharCode(expected.length)}${expected}`)
})

describe('a reply', () => {
  const longBlock = block({ ':status': '200', 'content-type': 'application/grpc+proto', 'x-a': 'b' })
  const prioritized = wire.PRIORITIZED | END_HEADERS
  const padded = wire.PADDED | END_HEADERS

  test.each<[what: string, frames: Buffer[]]>([
    ['as usual', REPLY],
    [
      'with padding',
      [head(), frame(DATA, wire.PADDED, 1, Buffer.of(3), message('answer'), Buffer.alloc(3)), trailers()],
    ],
    [
      'with a head that is padded',
      [frame(HEADERS, padded, 1, Buffer.of(1), longBlock, Buffer.of(0)), ...REPLY.slice(1)],
    ],
    ['with a priority', [frame(HEADERS, prioritized, 1, Buffer.alloc(5), longBlock), ...REPLY.slice(1)]],
    [
      'with a head in three pieces',
      [
        frame(HEADERS, 0, 1, longBlock.subarray(0, 3)),
        frame(CONTINUATION, 0, 1, longBlock.subarray(3, 9)),
        frame(CONTINUATION, END_HEADERS, 1, longBlock.subarray(9)),
        ...REPLY.slice(1),
      ],
    ],
    ['after other heads', [frame(HEADERS, END_HEADERS, 1, block({ ':status': '103' })), ...REPLY]],
    ['among frames nobody knows', [frame(0x42, 0xff, 7, Buffer.from('?')), ...REPLY]],
    ['with a priority for another stream', [frame(PRIORITY, 0, 5, Buffer.alloc(5)), ...REPLY]],
    ['before a GOAWAY that includes it', [goaway(0x7fff_ffff, 0), ...REPLY.slice(0, 2), goaway(1, 0), trailers()]],
    [
      'with more room for the request',
      [frame(WINDOW_UPDATE, 0, 0, u32(9)), frame(WINDOW_UPDATE, 0, 1, u32(9)), ...REPLY],
    ],
    ['in empty pieces', [head(), data(), data(message('answer')), data(), trailers()]],
    ['of an encoding that is not used', [head({ 'grpc-encoding': 'gzip' }), ...REPLY.slice(1)]],
    [
      'with metadata',
      [head({ 'x-bin': 'AA==' }), data(message('answer')), trailers({ 'grpc-status': '0', 'x-y': 'z' })],
    ],
  ])('%s', (_what, frames) => {
    expect(receive(...frames)).toMatchObject({ ending: 'reply answer', answer: [] })
  })

  test('a ping is returned, the answer to one is not', () => {
    const { answer } = receive(frame(PING, 0, 0, Buffer.from('12345678')), frame(PING, ACK, 0, Buffer.alloc(8)))
    expect(answer).toEqual([{ type: PING, flags: ACK, stream: 0, payload: Buffer.from('12345678') }])
  })

  test('settings that do not concern it, and those nobody knows, are acknowledged', () => {
    const { ending, answer } = receive(settings([0x77, 1], [1, 0], [2, 0], [3, 0], [6, 1]), ...REPLY)
    expect(ending).toBe('reply answer')
    expect(answer).toEqual([{ type: SETTINGS, flags: ACK, stream: 0, payload: Buffer.alloc(0) }])
  })

  test('however the bytes are cut, the same comes of them', () => {
    const long = message('x'.repeat(300))
    const bytes = Buffer.concat([
      settings([4, 10]),
      frame(PING, 0, 0, Buffer.alloc(8)),
      head(),
      data(long.subarray(0, 2)),
      data(long.subarray(2)),
      trailers(),
    ])
    const whole = open().call
    const answer = whole.receive(bytes)
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 1, max: 30 })), (cuts) => {
        const { call } = open()
        const answers: Buffer[] = []
        for (let at = 0; at < bytes.length; ) {
          const size = cuts.next().value
          answers.push(call.receive(bytes.subarray(at, at + size)))
          at += size
        }
        expect(endingOf(call)).toBe(endingOf(whole))
        expect(Buffer.concat(answers)).toEqual(answer)
      }),
    )
  })

  test('as large as is allowed comes without any leave, however it is padded', () => {
    const { call, sent } = open()
    const [own, connection] = sent
    const windows = [own?.payload.readUInt32BE(8), 65_535 + (connection?.payload.readUInt32BE() ?? 0)]
    const bytes = message(Buffer.alloc(MESSAGE_MAX, 0x61))
    // One byte, one of its padding's length, 255 of padding: nothing counts more.
    for (const window of windows) expect(window).toBeGreaterThanOrEqual(257 * bytes.length)
    call.receive(Buffer.concat([settings(), head()]))
    for (let at = 0; at < bytes.length; at += 16_000) {
      const padded = [Buffer.of(255), bytes.subarray(at, at + 16_000), Buffer.alloc(255)]
      expect(call.receive(frame(DATA, wire.PADDED, 1, ...padded))).toHaveLength(0)
    }
    call.receive(trailers())
    expect(endingOf(call)).toHaveLength('reply '.length + MESSAGE_MAX)
  })

  test.each([
    ['before the message', []],
    ['in its midst', [data(message('answer').subarray(0, 7))]],
  ])('empty pieces without end, %s, take no memory', (_where, begun) => {
    const { call } = receive(head(), ...begun)
    const empty = Buffer.concat(Array(5_000).fill(data()))
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < 40; i += 1) call.receive(Buffer.from(empty))
    collectGarbage()
    // Of 200 000 pieces, each at least a pointer.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200_000 * 8)
    call.receive(Buffer.concat([data(message('answer').subarray(begun.length * 7)), trailers()]))
    expect(endingOf(call)).toBe('reply answer')
  })
})

describe('a request larger than the windows', () => {
  const body = Buffer.alloc(200_000, 0x62)
  const update = (stream: number, by: number) => frame(WINDOW_UPDATE, 0, stream, u32(by))

  const sizes = (frames: readonly wire.SentFrame[]) =>
    frames.filter(({ type }) => type === DATA).map(({ payload }) => payload.length)

  test('is sent as far as they go, in frames that the server takes', () => {
    const { call, sent } = open(body)
    expect(sizes(sent)).toEqual([16_384, 16_384, 16_384, 16_383])
    expect(sizes(wire.framesIn(call.receive(Buffer.concat([settings(), update(1, 100)]))))).toEqual([])
    expect(sizes(wire.framesIn(call.receive(update(0, 50))))).toEqual([50])
    expect(sizes(wire.framesIn(call.receive(update(0, 1_000))))).toEqual([50])
  })

  test('is sent in larger frames when the server allows them, and ends the stream with its last byte', () => {
    const { call, sent } = open(body)
    const room = [settings([4, 1_000_000], [5, 100_000]), update(0, 1_000_000)]
    const rest = wire.framesIn(call.receive(Buffer.concat(room))).filter(({ type }) => type === DATA)
    expect(sizes(rest)).toEqual([100_000, 34_470])
    expect([...sent.slice(3), ...rest].map(({ flags }) => flags)).toEqual([0, 0, 0, 0, 0, END_STREAM])
    const all = Buffer.concat([...sent.slice(3), ...rest].map(({ payload }) => payload))
    expect(all).toEqual(message(body))
  })

  test('waits for what it has sent too much when the window shrinks, and counts it when it grows', () => {
    const { call } = open(body)
    expect(sizes(wire.framesIn(call.receive(Buffer.concat([settings([4, 0]), update(0, 100_000)]))))).toEqual([])
    expect(sizes(wire.framesIn(call.receive(update(1, 65_535))))).toEqual([])
    expect(sizes(wire.framesIn(call.receive(update(1, 7))))).toEqual([7])
    expect(sizes(wire.framesIn(call.receive(settings([4, 11]))))).toEqual([11])
  })

  test.each([
    ['PROTOCOL_ERROR', GOAWAY, update(0, 0)],
    ['PROTOCOL_ERROR', RST_STREAM, update(1, 0)],
    ['FLOW_CONTROL_ERROR', GOAWAY, update(0, 0x7fff_ffff)],
    ['FLOW_CONTROL_ERROR', RST_STREAM, update(1, 0x7fff_ffff)],
    ['FLOW_CONTROL_ERROR', GOAWAY, settings([4, 0x8000_0000])],
    ['PROTOCOL_ERROR', GOAWAY, settings([5, 16_383])],
    ['PROTOCOL_ERROR', GOAWAY, settings([5, 0x100_0000])],
  ])('%s for a window that cannot be', (error, type, broken) => {
    const { ending, answer } = receive(broken)
    expect(ending).toMatch(new RegExp(`^13 the server breaks HTTP/2: ${error}`))
    expect(types(answer).at(-1)).toBe(type)
  })

  test('is given up when the answer comes before it was sent', () => {
    for (const frames of [REPLY, [trailers({ ':status': '200', 'grpc-status': '8' })]]) {
      const { call } = open(body)
      const answer = wire.framesIn(call.receive(Buffer.concat([settings(), ...frames])))
      expect(call.ending).toBeDefined()
      expect(answer.at(-1)).toMatchObject({ type: RST_STREAM, stream: 1, payload: u32(8) })
    }
  })
})

describe('a failure', () => {
  const onlyTrailers = (fields: Record<string, string>) => [trailers({ ':status': '200', ...fields })]

  test.each<[ending: string, frames: Buffer[]]>([
    ['5 no such pod', onlyTrailers({ 'grpc-status': '5', 'grpc-message': 'no such pod' })],
    ['13 käse 100% %zz', onlyTrailers({ 'grpc-status': '13', 'grpc-message': 'k%c3%A4se 100%25 %zz' })],
    ['9 grpc-status 9 without a message', [head(), trailers({ 'grpc-status': '9' })]],
    ['2 odd', [head(), trailers({ 'grpc-status': '-1', 'grpc-message': 'odd' })]],
    ['14 gone', onlyTrailers({ ':status': '503', 'grpc-status': '14', 'grpc-message': 'gone' })],
    ['2 no grpc-status in the response (HTTP status 200)', [head(), trailers({})]],
    ['2 no grpc-status in the response (HTTP status 200)', [head(), frame(DATA, END_STREAM, 1, message('answer'))]],
    [
      '12 no message in the reply of a unary call',
      onlyTrailers({ 'content-type': 'application/grpc', 'grpc-status': '0' }),
    ],
    ['12 no message in the reply of a unary call', [head(), trailers()]],
    ['13 the reply ends after 3 bytes, in the middle of its message', [head(), data(Buffer.alloc(3)), trailers()]],
    [
      '13 the reply ends after 6 bytes, in the middle of its message',
      [head(), data(Buffer.of(0, 0, 0, 0, 2, 0)), trailers()],
    ],
    ['2 the response is none of gRPC: content-type ""', onlyTrailers({ 'grpc-status': '0' })],
  ])('%s', (ending, frames) => {
    expect(receive(...frames)).toMatchObject({ ending, answer: [] })
  })

  test.each([
    [400, 13],
    [401, 16],
    [403, 7],
    [404, 12],
    [429, 14],
    [502, 14],
    [503, 14],
    [504, 14],
    [500, 2],
    [302, 2],
  ])('HTTP status %i without grpc-status is %i, whatever its body', (httpStatus, code) => {
    const answered = head({ ':status': `${httpStatus}`, 'content-type': 'text/html' })
    const { ending } = receive(answered, data(Buffer.from('<html>')), frame(DATA, END_STREAM, 1))
    expect(ending).toBe(`${code} no grpc-status in the response (HTTP status ${httpStatus})`)
  })

  test('a body that is not of gRPC is not read as if it were', () => {
    const { ending } = receive(head({ 'content-type': 'text/html' }), data(Buffer.from('<html>')), trailers())
    expect(ending).toBe('2 the response is none of gRPC: content-type "text/html"')
  })

  test.each([
    ['12 more than one message', [message('a'), message('b')]],
    ['13 the reply is compressed', [message('a', 1)]],
    ['8 the reply has 4194305 bytes, over 4194304', [Buffer.of(0), u32(MESSAGE_MAX + 1)]],
  ])('%s: the server is told to stop', (ending, pieces) => {
    const received = receive(head(), ...pieces.map((piece) => data(piece)))
    expect(received.ending).toContain(ending)
    expect(received.answer).toEqual([{ type: RST_STREAM, flags: 0, stream: 1, payload: u32(8) }])
  })

  test.each([
    [0, '13 the server reset the stream: NO_ERROR'],
    [1, '13 the server reset the stream: PROTOCOL_ERROR'],
    [2, '13 the server reset the stream: INTERNAL_ERROR'],
    [7, '14 the server reset the stream: REFUSED_STREAM'],
    [8, '1 the server reset the stream: CANCEL'],
    [11, '8 the server reset the stream: ENHANCE_YOUR_CALM'],
    [12, '7 the server reset the stream: INADEQUATE_SECURITY'],
    [99, '13 the server reset the stream: error 99'],
  ])('RST_STREAM %i is %s', (code, ending) => {
    expect(receive(head(), frame(RST_STREAM, 0, 1, u32(code)))).toMatchObject({ ending, answer: [] })
  })

  test('a GOAWAY that leaves the call out', () => {
    expect(receive(goaway(0, 0, 'max_age'))).toMatchObject({
      ending: '14 the server takes no more calls: GOAWAY NO_ERROR "max_age"',
      answer: [],
    })
  })

  test('the end of the connection, and what was said before it', () => {
    const { call } = receive(goaway(1, 11, 'too_many_pings'))
    call.disconnected()
    expect(endingOf(call)).toBe(
      '14 the connection was closed before the answer, after GOAWAY ENHANCE_YOUR_CALM "too_many_pings"',
    )
  })

  test('the end of the connection after the answer changes nothing', () => {
    const { call } = receive(...REPLY)
    call.disconnected('read ECONNRESET')
    expect(endingOf(call)).toBe('reply answer')
  })

  test('giving up tells the server', () => {
    const { call } = open()
    expect(wire.framesIn(call.cancel())).toEqual([{ type: RST_STREAM, flags: 0, stream: 1, payload: u32(8) }])
    expect(endingOf(call)).toBe('4 no answer in time')
  })
})

describe('a server that breaks the rules', () => {
  const malformedHead = (fields: Record<string, string>) => [frame(HEADERS, END_HEADERS, 1, block(fields))]

  test.each<[what: string, frames: Buffer[]]>([
    ['no :status', malformedHead({ 'content-type': 'application/grpc' })],
    ['a :status that is no number', malformedHead({ ':status': '2oo' })],
    ['a :status that is not first', malformedHead({ 'content-type': 'application/grpc', ':status': '200' })],
    ['another pseudo-field', malformedHead({ ':status': '200', ':path': '/' })],
    ['upper case', malformedHead({ ':status': '200', 'Content-Type': 'application/grpc' })],
    ['a field of HTTP/1.1', malformedHead({ ':status': '200', connection: 'close' })],
    ['a line end in a value', malformedHead({ ':status': '200', a: 'b\r\nc' })],
    ['the end after an informational head', [frame(HEADERS, END_HEADERS | END_STREAM, 1, block({ ':status': '100' }))]],
    ['a body before the head', [data(message('answer'))]],
    ['a third head', [head(), head()]],
    ['a :status in the trailers', [head(), trailers({ ':status': '200', 'grpc-status': '0' })]],
  ])('malformed response: %s', (_what, frames) => {
    const { ending, answer } = receive(...frames)
    expect(ending).toMatch(/^13 the server breaks HTTP\/2: PROTOCOL_ERROR: malformed response: /)
    expect(answer.every(({ type }) => type === RST_STREAM)).toBe(true)
  })

  /** RFC 9113, section 7. */
  const ERROR_CODES: Record<string, number> = {
    PROTOCOL_ERROR: 1,
    FRAME_SIZE_ERROR: 6,
    COMPRESSION_ERROR: 9,
    ENHANCE_YOUR_CALM: 11,
  }
  const half = frame(HEADERS, 0, 1, block({ ':status': '200' }))

  test.each<[error: string, what: string, broken: Buffer[]]>([
    ['PROTOCOL_ERROR', 'a push', [frame(wire.PUSH_PROMISE, END_HEADERS, 1, u32(2))]],
    ['PROTOCOL_ERROR', 'another frame inside a header block', [half, data()]],
    ['PROTOCOL_ERROR', 'an unknown frame inside a header block', [half, frame(0x42, 0, 0)]],
    ['PROTOCOL_ERROR', 'CONTINUATION of nothing', [frame(CONTINUATION, END_HEADERS, 1)]],
    ['PROTOCOL_ERROR', 'HEADERS for the connection', [frame(HEADERS, END_HEADERS, 0)]],
    ['PROTOCOL_ERROR', 'a stream that nobody opened', [frame(HEADERS, END_HEADERS, 3, block({ ':status': '200' }))]],
    ['PROTOCOL_ERROR', 'DATA for a stream that nobody opened', [frame(DATA, 0, 2)]],
    ['PROTOCOL_ERROR', 'RST_STREAM for the connection', [frame(RST_STREAM, 0, 0, u32(0))]],
    ['PROTOCOL_ERROR', 'SETTINGS for a stream', [frame(SETTINGS, 0, 1)]],
    ['PROTOCOL_ERROR', 'PING for a stream', [frame(PING, 0, 1, Buffer.alloc(8))]],
    ['PROTOCOL_ERROR', 'GOAWAY for a stream', [frame(GOAWAY, 0, 1, u32(0, 0))]],
    ['PROTOCOL_ERROR', 'room on a stream that nobody opened', [frame(WINDOW_UPDATE, 0, 3, u32(1))]],
    ['PROTOCOL_ERROR', 'push allowed by a server', [settings([2, 1])]],
    ['PROTOCOL_ERROR', 'more padding than payload', [frame(DATA, wire.PADDED, 1, Buffer.of(9))]],
    ['FRAME_SIZE_ERROR', 'a long ping', [frame(PING, 0, 0, Buffer.alloc(9))]],
    ['FRAME_SIZE_ERROR', 'a short RST_STREAM', [frame(RST_STREAM, 0, 1)]],
    ['FRAME_SIZE_ERROR', 'a short WINDOW_UPDATE', [frame(WINDOW_UPDATE, 0, 0, Buffer.of(1))]],
    ['FRAME_SIZE_ERROR', 'a short GOAWAY', [frame(GOAWAY, 0, 0, u32(0))]],
    ['FRAME_SIZE_ERROR', 'SETTINGS and a half', [frame(SETTINGS, 0, 0, Buffer.alloc(9))]],
    ['FRAME_SIZE_ERROR', 'an acknowledgement with settings', [frame(SETTINGS, ACK, 0, Buffer.alloc(6))]],
    ['FRAME_SIZE_ERROR', 'a frame longer than was agreed', [data(Buffer.alloc(16_385))]],
    ['COMPRESSION_ERROR', 'a header block cut short', [frame(HEADERS, END_HEADERS, 1, Buffer.of(0, 5))]],
    [
      'ENHANCE_YOUR_CALM',
      'headers without end',
      [half, ...Array(5).fill(frame(CONTINUATION, 0, 1, Buffer.alloc(16_384)))],
    ],
    ['ENHANCE_YOUR_CALM', 'empty headers without end', [half, ...Array(64).fill(frame(CONTINUATION, 0, 1))]],
  ])('%s: %s', (error, _what, broken) => {
    const { ending, answer } = receive(...broken)
    expect(ending).toContain(`13 the server breaks HTTP/2: ${error}: `)
    expect(answer.at(-1)).toEqual({ type: GOAWAY, flags: 0, stream: 0, payload: u32(0, ERROR_CODES[error] ?? 0) })
  })

  test.each([
    ['HTTP/1.1', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a server that does not begin with SETTINGS', head()],
    ['a server that begins with an acknowledgement', frame(SETTINGS, ACK, 0)],
  ])('%s is no HTTP/2', (_what, bytes) => {
    const { call } = open()
    call.receive(bytes)
    expect(endingOf(call)).toMatch(/^13 what answers is no HTTP\/2 server: /)
  })

  test('whatever arrives, the call goes on or ends', () => {
    const anyFrame = fc
      .tuple(fc.nat(11), fc.nat(255), fc.nat(3), fc.uint8Array({ maxLength: 20 }))
      .map(([type, flags, stream, payload]) => frame(type, flags, stream, payload))
    fc.assert(
      fc.property(fc.array(anyFrame), (frames) => {
        const { call } = open()
        expect(() => call.receive(Buffer.concat([settings(), ...frames]))).not.toThrow()
        expect(endingOf(call)).toMatch(/^(?:open|reply |\d+ )/)
      }),
      { numRuns: 2_000 },
    )
  })
})
