/** The Cni service: translates between the wire and the domain, and nothing else. */
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import type { Logger } from 'pino'
import type { CniHandlers } from '../../proto/generated/terway/cni/v1/Cni.ts'
import type { Invocation__Output } from '../../proto/generated/terway/cni/v1/Invocation.ts'
import type { Outcome } from '../../proto/generated/terway/cni/v1/Outcome.ts'
import { CniError, toErrorMessage } from '../cni/error.ts'
import { parseAdd, parseCheck, parseDel, parseGc, parseStatus } from '../cni/invocation.ts'
import type { NetConf } from '../cni/netconf.ts'
import { add, type RunningCall } from '../pod/add.ts'
import type { PodContext } from '../pod/context.ts'
import { type Phase, Stopwatch } from '../pod/stopwatch.ts'
import { check, del, gc } from '../pod/verbs.ts'
import { PoolError } from '../pool/error.ts'

export type CniVerb = 'ADD' | 'DEL' | 'CHECK' | 'STATUS' | 'GC'

export interface CniServiceOptions {
  readonly pods: PodContext
  /** Throws CniError 50 when the node cannot network any pod. */
  readonly status: (conf: NetConf) => void
  readonly log: Logger
  readonly onCall?: (call: FinishedCall) => void
}

export interface FinishedCall {
  readonly verb: CniVerb
  /** Of the CNI error; 0 is success. */
  readonly code: number
  readonly milliseconds: number
  /** Where they went, ms. */
  readonly phases: ReadonlyMap<Phase, number>
}

type UnaryCall = ServerUnaryCall<Invocation__Output, Outcome>
type Handler = (invocation: Invocation__Output, call: RunningCall) => Promise<Uint8Array | undefined>

const EMPTY = new Uint8Array()

/** What the call asks for. */
function decoded<Invocation>(
  parse: (raw: Invocation__Output) => Invocation,
  raw: Invocation__Output,
  { watch }: RunningCall,
): Invocation {
  const invocation = parse(raw)
  watch.lap('parse')
  return invocation
}

export function cniService(options: CniServiceOptions): CniHandlers {
  const { pods, status } = options
  const unary = (verb: CniVerb, handler: Handler) => (call: UnaryCall, reply: sendUnaryData<Outcome>) => {
    void answer({ options, verb, handler, call }).then((outcome) => reply(null, outcome))
  }
  return {
    Add: unary('ADD', async (raw, call) => await add(pods, decoded(parseAdd, raw, call), call)),
    Del: unary('DEL', async (raw, call) => void (await del(pods, decoded(parseDel, raw, call), call.watch))),
    Check: unary('CHECK', async (raw) => void (await check(pods, parseCheck(raw)))),
    Status: unary('STATUS', async (raw) => void status(parseStatus(raw).conf)),
    Gc: unary('GC', async (raw) => void (await gc(pods, parseGc(raw)))),
  }
}

interface Answer {
  readonly options: CniServiceOptions
  readonly verb: CniVerb
  readonly handler: Handler
  readonly call: UnaryCall
}

async function answer({ options, verb, handler, call }: Answer): Promise<Outcome> {
  const watch = new Stopwatch()
  const cancelled = new AbortController()
  const cancel = () =>
    cancelled.abort(new PoolError('cancelled', 'the plugin ended before its call was done', 'the runtime tries again'))
  call.on('cancelled', cancel)
  const { containerId, ifname, netns } = call.request
  const finish = (code: number) => {
    // grpc-js calls every call cancelled that has ended.
    call.off('cancelled', cancel)
    watch.lap('result')
    options.onCall?.({ verb, code, milliseconds: watch.total, phases: watch.phases })
    return { verb, containerId, ifname, netns, code, milliseconds: Math.round(watch.total * 100) / 100 }
  }
  try {
    const result = (await handler(call.request, { signal: cancelled.signal, watch })) ?? EMPTY
    options.log.info(finish(0), 'CNI call done')
    return { result, outcome: 'result' }
  } catch (error) {
    const message = toErrorMessage(error)
    const unexpected = error instanceof CniError ? {} : { err: error }
    options.log.warn({ ...finish(message.code ?? 0), error: message.msg, ...unexpected }, 'CNI call failed')
    return { error: message, outcome: 'error' }
  }
}
