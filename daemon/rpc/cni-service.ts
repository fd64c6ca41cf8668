/** The Cni service: translates between the wire and the domain, and nothing else. */
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import type { Logger } from 'pino'
import type { CniHandlers } from '../../proto/generated/terway/cni/v1/Cni.ts'
import type { Invocation__Output } from '../../proto/generated/terway/cni/v1/Invocation.ts'
import type { Outcome } from '../../proto/generated/terway/cni/v1/Outcome.ts'
import { CniError, toErrorMessage } from '../cni/error.ts'
import { parseAdd, parseCheck, parseDel, parseGc, parseStatus } from '../cni/invocation.ts'
import type { NetConf } from '../cni/netconf.ts'
import { add } from '../pod/add.ts'
import type { PodContext } from '../pod/context.ts'
import { check, del, gc } from '../pod/verbs.ts'
import { PoolError } from '../pool/error.ts'

export type CniVerb = 'ADD' | 'DEL' | 'CHECK' | 'STATUS' | 'GC'

export interface CniServiceOptions {
  readonly pods: PodContext
  /** Throws CniError 50 when the node cannot network any pod. */
  readonly status: (conf: NetConf) => void
  readonly log: Logger
  readonly onCall?: (call: { verb: CniVerb; code: number; milliseconds: number }) => void
}

type UnaryCall = ServerUnaryCall<Invocation__Output, Outcome>
type Handler = (invocation: Invocation__Output, signal: AbortSignal) => Promise<Uint8Array | undefined>

const EMPTY = new Uint8Array()

export function cniService(options: CniServiceOptions): CniHandlers {
  const { pods, status } = options
  const unary = (verb: CniVerb, handler: Handler) => (call: UnaryCall, reply: sendUnaryData<Outcome>) => {
    void answer({ options, verb, handler, call }).then((outcome) => reply(null, outcome))
  }
  return {
    Add: unary('ADD', async (raw, signal) => await add(pods, parseAdd(raw), signal)),
    Del: unary('DEL', async (raw) => void (await del(pods, parseDel(raw)))),
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
  const started = performance.now()
  const cancelled = new AbortController()
  call.on('cancelled', () =>
    cancelled.abort(new PoolError('cancelled', 'the plugin ended before its call was done', 'the runtime tries again')),
  )
  const { containerId, ifname, netns } = call.request
  const log = options.log.child({ verb, containerId, ifname })
  const finish = (code: number) => {
    const milliseconds = performance.now() - started
    options.onCall?.({ verb, code, milliseconds })
    return { code, milliseconds: Math.round(milliseconds * 100) / 100 }
  }
  try {
    const result = (await handler(call.request, cancelled.signal)) ?? EMPTY
    log.info({ netns, ...finish(0) }, 'CNI call done')
    return { result, outcome: 'result' }
  } catch (error) {
    const message = toErrorMessage(error)
    const unexpected = error instanceof CniError ? {} : { err: error }
    log.warn({ netns, ...finish(message.code ?? 0), error: message.msg, ...unexpected }, 'CNI call failed')
    return { error: message, outcome: 'error' }
  }
}
