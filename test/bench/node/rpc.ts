/** A client of the daemon's Cni service that stays connected, unlike the plugin. */
import { credentials } from '@grpc/grpc-js'
import { Cni } from '../../../proto/contract.ts'
import type { CniClient } from '../../../proto/generated/terway/cni/v1/Cni.ts'
import type { Invocation } from '../../../proto/generated/terway/cni/v1/Invocation.ts'

/** Of a CNI call as the plugin makes it, ms. */
const DEADLINE = 120_000

export class CniRpc implements Disposable {
  readonly #client: CniClient

  constructor(socket: string) {
    const options = { 'grpc.use_local_subchannel_pool': 1 }
    this.#client = new Cni(`unix://${socket}`, credentials.createInsecure(), options)
  }

  /** @returns what it took, ms. @throws Error when the daemon refuses. */
  call(verb: 'ADD' | 'DEL', invocation: Invocation): Promise<number> {
    const method = (verb === 'ADD' ? this.#client.add : this.#client.del).bind(this.#client)
    return new Promise((resolve, reject) => {
      const began = performance.now()
      method(invocation, { deadline: Date.now() + DEADLINE }, (failure, outcome) => {
        const took = performance.now() - began
        const error = failure ?? outcome?.error
        if (error === undefined || error === null) resolve(took)
        else reject(new Error(`${verb} of ${invocation.containerId}: ${'msg' in error ? error.msg : error.message}`))
      })
    })
  }

  [Symbol.dispose](): void {
    this.#client.close()
  }
}
