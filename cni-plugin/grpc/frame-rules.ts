/** Which stream a frame may be for, and how long it must be, whatever it says (RFC 9113, section 6). */
import { type Frame, FrameType } from './frame.ts'
import { ErrorCode, Http2Error } from './http2-error.ts'
import { STREAM } from './opening.ts'

type StreamRule = 'connection' | 'stream' | 'either'

/** Types that are not here, PRIORITY among them, are not looked at: it has been taken out of use (section 5.3.2). */
const STREAM_RULES: Readonly<Record<number, StreamRule>> = {
  [FrameType.DATA]: 'stream',
  [FrameType.HEADERS]: 'stream',
  [FrameType.RST_STREAM]: 'stream',
  [FrameType.SETTINGS]: 'connection',
  [FrameType.PUSH_PROMISE]: 'stream',
  [FrameType.PING]: 'connection',
  [FrameType.GOAWAY]: 'connection',
  [FrameType.WINDOW_UPDATE]: 'either',
  [FrameType.CONTINUATION]: 'stream',
}

const FIXED_LENGTH: Readonly<Record<number, number>> = {
  [FrameType.RST_STREAM]: 4,
  [FrameType.PING]: 8,
  [FrameType.WINDOW_UPDATE]: 4,
}

function allows(rule: StreamRule, stream: number): boolean {
  return (stream === 0 && rule !== 'stream') || (stream === STREAM && rule !== 'connection')
}

/** @throws Http2Error for a frame of a stream that is not there, or of a length that its type cannot have */
export function checkFrame({ type, stream, payload }: Frame): void {
  const rule = STREAM_RULES[type]
  if (rule !== undefined && !allows(rule, stream)) {
    throw new Http2Error(ErrorCode.PROTOCOL_ERROR, `a frame of type ${type} for stream ${stream}`)
  }
  const length = FIXED_LENGTH[type]
  if (length !== undefined && payload.length !== length) {
    throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, `a frame of type ${type} with ${payload.length} bytes`)
  }
}
