/** A gRPC server on a real unix socket that answers CNI calls as a test says. */
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js'
import type { CniVerb } from '../../proto/cni-version.ts'
import { Cni } from '../../proto/contract.ts'
import type { Invocation__Output } from '../../proto/generated/terway/cni/v1/Invocation.ts'
import type { Outcome, Outcome__Output } from '../../proto/generated/terway/cni/v1/Outcome.ts'

/**
 * - an outcome: the answer
 * - `silent`: no answer until the server is stopped
 * - `die`: the connection breaks in the middle of the call
 * - `fail`: a gRPC error
 */
export type Script = (verb: CniVerb, invocation: Invocation__Output) => Outcome | 'silent' | 'die' | 'fail'

export interface ScriptedDaemon {
  readonly calls: readonly { readonly verb: CniVerb; readonly invocation: Invocation__Output }[]
  stop(): void
}

export async function startScriptedDaemon(socket: string, script: Script): Promise<ScriptedDaemon> {
  const calls: { verb: CniVerb; invocation: Invocation__Output }[] = []
  const server = new Server()
  const handle =
    (verb: CniVerb) =>
    (call: ServerUnaryCall<Invocation__Output, Outcome>, reply: sendUnaryData<Outcome__Output>): void => {
      calls.push({ verb, invocation: call.request })
      const answer = script(verb, call.request)
      if (answer === 'die') server.forceShutdown()
      else if (answer === 'fail') reply({ code: status.INTERNAL, details: 'out of cheese' })
      // Between types of the same message: what is sent may leave fields out, what is received has them all.
      else if (answer !== 'silent') reply(null, answer as Outcome__Output)
    }
  server.addService(Cni.service, {
    Add: handle('ADD'),
    Del: handle('DEL'),
    Check: handle('CHECK'),
    Status: handle('STATUS'),
    Gc: handle('GC'),
  })
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    )
  })
  return { calls, stop: () => server.forceShutdown() }
}
