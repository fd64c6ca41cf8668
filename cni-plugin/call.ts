/** The transport to the daemon: one unary call of gRPC over its unix socket. */
import type { Socket } from 'node:net'
import packageJson from '../package.json' with { type: 'json' }
import type { CniVerb } from '../proto/cni-version.ts'
import { connectDaemon, now } from './connection.ts'
import { Status, StatusError } from './grpc/status.ts'
import { UnaryCall } from './grpc/unary.ts'
import { decodeOutcome, encodeInvocation, type Invocation, MessageError, type Outcome } from './messages.ts'

export interface DaemonCall {
  /** Absolute path. */
  readonly socket: string
  readonly verb: CniVerb
  readonly invocation: Invocation
  readonly timeoutMs: number
  readonly onConnect?: () => void
}

export type { Outcome }

/**
 * - `unreachable`: nothing listens, or the connection broke before the answer; the call may or may not have been done.
 * - `timeout`: no answer in time; likewise.
 * - `failed`: the daemon answered, but not as the contract says.
 */
export type CallFailure = 'unreachable' | 'timeout' | 'failed'

export class CallError extends Error {
  override readonly name = 'CallError'
  readonly failure: CallFailure

  constructor(failure: CallFailure, cause: Error) {
    super(cause.message, { cause })
    this.failure = failure
  }
}

const METHOD = { ADD: 'Add', DEL: 'Del', CHECK: 'Check', STATUS: 'Status', GC: 'Gc' } as const

function failureOf({ code }: StatusError): CallFailure {
  switch (code) {
    case Status.unavailable:
    case Status.cancelled:
      return 'unreachable'
    case Status.deadlineExceeded:
      return 'timeout'
    default:
      return 'failed'
  }
}

function converse(connection: Socket, call: UnaryCall, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      if (call.ending === undefined) return
      clearTimeout(timer)
      connection.destroy()
      if (call.ending.kind === 'reply') resolve(call.ending.message)
      else reject(call.ending.error)
    }
    const timer = setTimeout(() => {
      connection.write(call.cancel())
      settle()
    }, timeoutMs)
    connection.on('data', (bytes: Buffer) => {
      const answer = call.receive(bytes)
      if (answer.length > 0) connection.write(answer)
      settle()
    })
    connection.on('error', (error) => {
      call.disconnected(error.message)
      settle()
    })
    connection.on('end', () => {
      call.disconnected()
      settle()
    })
    connection.write(call.open())
  })
}

/** A call is made once: one whose connection breaks is reported, not repeated, as the daemon may have begun it. */
async function exchange({ socket, verb, invocation, timeoutMs, onConnect }: DaemonCall): Promise<Buffer> {
  const deadline = now() + timeoutMs
  const connection = await connectDaemon(socket, deadline)
  onConnect?.()
  const left = Math.max(deadline - now(), 1)
  const call = new UnaryCall({
    path: `/terway.cni.v1.Cni/${METHOD[verb]}`,
    userAgent: `terway/${packageJson.version}`,
    timeoutMs: left,
    message: encodeInvocation(invocation),
  })
  return converse(connection, call, left)
}

/** @throws CallError at once when nothing listens on the socket. */
export async function callDaemon(call: DaemonCall): Promise<Outcome> {
  try {
    return decodeOutcome(await exchange(call))
  } catch (error) {
    if (error instanceof StatusError) throw new CallError(failureOf(error), error)
    if (error instanceof MessageError) throw new CallError('failed', error)
    throw error
  }
}
