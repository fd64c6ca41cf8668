/** Whole answers to a call, as a server sends them that does not read what it is sent. */
import { ACK, data, frame, head, message, SETTINGS, settings, trailers } from './frames.ts'

/** What a frame holds at most unless the client has allowed more. */
const FRAME_MAX = 16_384

function varint(value: number): number[] {
  return value < 128 ? [value] : [128 + (value % 128), ...varint(Math.floor(value / 128))]
}

/** An Outcome whose result is the text, as a message. */
export const outcome = (text: string): Buffer =>
  message(Buffer.concat([Buffer.of(0x0a, ...varint(Buffer.byteLength(text))), Buffer.from(text)]))

export function answerOf(body: Buffer): Buffer {
  const count = Math.ceil(body.length / FRAME_MAX)
  const pieces = Array.from({ length: count }, (_, i) => data(body.subarray(i * FRAME_MAX, (i + 1) * FRAME_MAX)))
  return Buffer.concat([settings(), frame(SETTINGS, ACK, 0), head(), ...pieces, trailers()])
}

export const ANSWER = answerOf(outcome('{}'))
export const RESULT = { result: Buffer.from('{}') }
