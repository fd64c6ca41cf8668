/** The response to a unary call: header blocks and body in, a message or the reason why there is none out. */
import type { Field } from './hpack.ts'
import { ErrorCode, Http2Error } from './http2-error.ts'
import { MessageReader } from './message.ts'
import { Status, StatusError, statusOfHttp } from './status.ts'

/** RFC 9113, section 8.2.1: visible ASCII without upper case, and a colon only in front. */
const FIELD_NAME = /^:?[!-9;-@[-~]+$/
/** Section 8.2.1; the bytes that could end a line in HTTP/1.1. */
const FORBIDDEN_IN_VALUE = ['\0', '\r', '\n']
/** Section 8.2.2: they belong to HTTP/1.1. */
const CONNECTION_FIELDS = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']
/** `application/grpc`, with or without the encoding of its messages and parameters. */
const GRPC_CONTENT = /^application\/grpc(?:$|[+;])/i

interface Head {
  readonly httpStatus: number
  /** Why the body holds no messages of gRPC; undefined when it does. */
  readonly problem: string | undefined
}

function malformed(text: string): never {
  throw new Http2Error(ErrorCode.PROTOCOL_ERROR, `malformed response: ${text}`, 'stream')
}

function fieldOf(fields: readonly Field[], name: string): string | undefined {
  return fields.find(([key]) => key === name)?.[1]
}

function checkFields(fields: readonly Field[]): void {
  for (const [name, value] of fields) {
    if (!FIELD_NAME.test(name)) malformed(`a field named ${JSON.stringify(name)}`)
    if (CONNECTION_FIELDS.includes(name)) malformed(`the field ${name}`)
    if (FORBIDDEN_IN_VALUE.some((byte) => value.includes(byte))) malformed(`the value of ${name}`)
  }
}

function headOf(fields: readonly Field[]): Head {
  const [first, ...others] = fields
  const status = first?.[0] === ':status' && /^[1-9]\d\d$/.test(first[1]) ? Number(first[1]) : malformed('no :status')
  if (others.some(([name]) => name.startsWith(':'))) malformed('a pseudo-field after :status')
  const type = fieldOf(fields, 'content-type')
  if (status !== 200) return { httpStatus: status, problem: `HTTP status ${status}` }
  const isGrpc = type !== undefined && GRPC_CONTENT.test(type)
  return { httpStatus: status, problem: isGrpc ? undefined : `content-type ${JSON.stringify(type ?? '')}` }
}

/** Percent-encoded UTF-8; what is no proper encoding stays as it is (gRPC, PROTOCOL-HTTP2.md, "Status-Message"). */
function decodeStatusMessage(text: string): string {
  const bytes = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}

/** Every method throws StatusError when the call has failed, Http2Error when the response is malformed. */
export class Response {
  readonly #message = new MessageReader()
  #head: Head | undefined

  /** Returns the message once the stream has ended well. */
  headers(fields: readonly Field[], endOfStream: boolean): Buffer | undefined {
    checkFields(fields)
    if (this.#head !== undefined) {
      if (!endOfStream) malformed('trailers that do not end the stream')
      if (fields.some(([name]) => name.startsWith(':'))) malformed('a pseudo-field in the trailers')
      return this.#end(this.#head, fields)
    }
    const head = headOf(fields)
    if (head.httpStatus < 200) {
      if (endOfStream) malformed(`nothing after status ${head.httpStatus}`)
      return undefined
    }
    this.#head = head
    return endOfStream ? this.#end(head, fields) : undefined
  }

  /** Returns as `headers` does. */
  data(piece: Buffer, endOfStream: boolean): Buffer | undefined {
    if (this.#head === undefined) malformed('a body without a head')
    if (this.#head.problem === undefined) this.#message.push(piece)
    return endOfStream ? this.#end(this.#head, []) : undefined
  }

  #end({ httpStatus, problem }: Head, fields: readonly Field[]): Buffer {
    const status = fieldOf(fields, 'grpc-status')
    if (status === undefined) {
      throw new StatusError(
        statusOfHttp(httpStatus),
        `no grpc-status in the response (${problem ?? 'HTTP status 200'})`,
      )
    }
    const code = /^\d{1,9}$/.test(status) ? Number(status) : Status.unknown
    if (code !== Status.ok) {
      const text = decodeStatusMessage(fieldOf(fields, 'grpc-message') ?? '')
      throw new StatusError(code, text === '' ? `grpc-status ${status} without a message` : text)
    }
    if (problem !== undefined) throw new StatusError(Status.unknown, `the response is none of gRPC: ${problem}`)
    return this.#message.end()
  }
}
