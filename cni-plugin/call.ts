/** The transport to the daemon: one unary call over its unix socket. */
import { credentials, type ServiceError, status } from '@grpc/grpc-js'
import type { CniVerb } from '../proto/cni-version.ts'
import { connectError } from '../proto/connect-error.ts'
import { Cni } from '../proto/contract.ts'
import type { Invocation } from '../proto/generated/terway/cni/v1/Invocation.ts'
import type { Outcome__Output as Outcome } from '../proto/generated/terway/cni/v1/Outcome.ts'

export interface DaemonCall {
  /** Absolute path. */
  readonly socket: string
  readonly verb: CniVerb
  readonly invocation: Invocation
  readonly timeoutMs: number
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

  constructor(failure: CallFailure, cause: ServiceError) {
    super(connectError(cause.details), { cause })
    this.failure = failure
  }
}

const METHOD = { ADD: 'Add', DEL: 'Del', CHECK: 'Check', STATUS: 'Status', GC: 'Gc' } as const

function callErrorOf(error: ServiceError): CallError {
  switch (error.code) {
    case status.UNAVAILABLE:
    case status.CANCELLED:
      return new CallError('unreachable', error)
    case status.DEADLINE_EXCEEDED:
      return new CallError('timeout', error)
    default:
      return new CallError('failed', error)
  }
}

/** @throws CallError at once when nothing listens on the socket. */
export async function callDaemon({ socket, verb, invocation, timeoutMs }: DaemonCall): Promise<Outcome> {
  // Without retries a call whose connection breaks is reported, not repeated: the daemon may have begun it.
  const client = new Cni(`unix:${socket}`, credentials.createInsecure(), { 'grpc.enable_retries': 0 })
  try {
    return await new Promise((resolve, reject) => {
      client[METHOD[verb]](invocation, { deadline: Date.now() + timeoutMs }, (error, outcome) => {
        if (outcome !== undefined) resolve(outcome)
        else reject(error === null ? new Error('gRPC call ended with neither outcome nor error') : callErrorOf(error))
      })
    })
  } finally {
    client.close()
  }
}
