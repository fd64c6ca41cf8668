/** One call to the daemon, and what each verb means when the daemon gives no answer. */
import { CniError, CniErrorCode } from '../proto/cni-error.ts'
import type { CniVerb } from '../proto/cni-version.ts'
import type { CallError, Outcome } from './call.ts'
import type { PluginConfig } from './config.ts'
import type { Environment } from './environment.ts'
import { note } from './stdio.ts'
import type { Trace } from './trace.ts'

export interface Call {
  readonly verb: CniVerb
  readonly environment: Environment
  readonly config: PluginConfig
  /** Standard input. */
  readonly bytes: Uint8Array
  readonly trace: Trace
}

/** What to print: `result` on success (empty for every verb but ADD), else the error. */
export type Reply =
  | { readonly kind: 'result'; readonly result: Uint8Array }
  | { readonly kind: 'error'; readonly code: number; readonly msg: string; readonly details: string }

const NOTHING: Reply = { kind: 'result', result: new Uint8Array() }

/** @throws CniError when the daemon did not answer, or not as the contract says. */
export async function perform(call: Call): Promise<Reply> {
  // Loaded only here: VERSION and everything that is refused before must not pay for a gRPC client.
  const { CallError, callDaemon } = await import('./call.ts')
  const { verb, config, bytes, trace } = call
  const { containerId, netns, ifname, args, timeoutMs } = call.environment
  try {
    const outcome = await callDaemon({
      socket: config.socket,
      verb,
      invocation: { containerId, netns, ifname, args, config: bytes },
      timeoutMs,
      onConnect: () => trace.end('connect'),
    })
    trace.end('call')
    return replyOf(outcome, call)
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    if (call.verb === 'DEL' && error.failure !== 'failed') return await postpone(call, error)
    throw unanswered(call, error)
  }
}

function replyOf({ result, error }: Outcome, { verb, config }: Call): Reply {
  if (error !== undefined) {
    return { kind: 'error', code: error.code, msg: error.msg, details: error.details }
  }
  if (verb !== 'ADD') return NOTHING
  if (result !== undefined && result.length > 0) return { kind: 'result', result }
  throw new CniError({
    code: CniErrorCode.internal,
    reason: 'daemon-failed',
    text: `terwayd on ${config.socket} answered ADD with nothing`,
    details: 'plugin and terwayd may be of different releases; restart the terway pod of this node',
  })
}

/**
 * The runtime may never repeat a DEL, so it must not get lost; and a pod must not hang in termination while the daemon
 * is updated. The daemon carries it out when it is back, and does no harm if it had done so already.
 * @throws CniError 5
 */
async function postpone({ environment, config, bytes }: Call, cause: CallError): Promise<Reply> {
  const { containerId, netns, ifname, args } = environment
  try {
    const { spoolDel } = await import('./spool.ts') // brings node:crypto, which costs every other call 3 ms
    const del = { containerId, netns, ifname, args, config: bytes, spooledAt: Date.now() }
    const file = spoolDel(config.spoolDirectory, del)
    note(`terway: terwayd on ${config.socket} gave no answer (${cause.message}); DEL left in ${file}\n`)
    return NOTHING
  } catch (error) {
    throw new CniError({
      code: CniErrorCode.io,
      reason: 'spool-failed',
      text:
        `terwayd on ${config.socket} did not take DEL of ${containerId} ${ifname} (${cause.message}), and it cannot be ` +
        `left for later: ${error instanceof Error ? error.message : String(error)}`,
      details: `start terwayd on this node, or make ${config.spoolDirectory} writable`,
      cause: error,
    })
  }
}

function unanswered({ verb, environment, config }: Call, cause: CallError): CniError {
  const subject = environment.containerId === '' ? verb : `${verb} of ${environment.containerId} ${environment.ifname}`
  const code = verb === 'STATUS' ? CniErrorCode.unavailable : CniErrorCode.tryAgainLater
  const log =
    'look at the terway pod of this node (kubectl -n kube-system get pods -l app=terway -o wide) and its log ' +
    '(kubectl -n kube-system logs POD -c terway)'
  switch (cause.failure) {
    case 'unreachable':
      return new CniError({
        code,
        reason: 'daemon-unreachable',
        text: `terwayd did not answer ${subject} on ${config.socket}: ${cause.message}`,
        details: `is terwayd running on this node? ${log}`,
        cause,
      })
    case 'timeout':
      return new CniError({
        code,
        reason: 'daemon-timeout',
        text: `terwayd on ${config.socket} did not finish ${subject} within ${environment.timeoutMs / 1000} s`,
        details: `terwayd is overloaded or waits for the cloud: ${log}`,
        cause,
      })
    case 'failed':
      return new CniError({
        code,
        reason: 'daemon-failed',
        text: `terwayd on ${config.socket} failed at ${subject}: ${cause.message}`,
        details: `plugin and terwayd may be of different releases: ${log}`,
        cause,
      })
  }
}
