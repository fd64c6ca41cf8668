/** Calls to a daemon over one connection, without an executable in between. */
import { credentials } from '@grpc/grpc-js'
import { Cni } from '../../proto/contract.ts'
import type { CniClient as Client } from '../../proto/generated/terway/cni/v1/Cni.ts'
import type { Outcome__Output } from '../../proto/generated/terway/cni/v1/Outcome.ts'
import type { CniCall } from '../cluster/cni.ts'

const TIMEOUT = 30_000
const CONFIG = Buffer.from(JSON.stringify({ cniVersion: '1.1.0', name: 'terway', type: 'terway' }))

export class CniClient implements Disposable {
  readonly #client: Client

  /** @param socket path */
  constructor(socket: string) {
    this.#client = new Cni(`unix:${socket}`, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
  }

  /** Rejects when there is no answer, or a refusal. */
  async call(verb: 'Add' | 'Del', { containerId, netns, ifname, namespace, pod }: CniCall): Promise<void> {
    const args = `K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${pod}`
    const { promise, resolve, reject } = Promise.withResolvers<Outcome__Output | undefined>()
    const invocation = { containerId, netns, ifname, args, config: CONFIG }
    this.#client[verb](invocation, { deadline: Date.now() + TIMEOUT }, (error, outcome) =>
      error === null ? resolve(outcome) : reject(error),
    )
    const { error } = (await promise) ?? {}
    if (error) throw new Error(`${verb} of ${pod}: ${error.msg} (${error.details})`)
  }

  [Symbol.dispose](): void {
    this.#client.close()
  }
}
