/**
 * The steps of a daemon that can be told apart from outside: its writes to the journal and its calls of the cloud, each
 * with a name that is the same in every run. They are counted, and at one of them the process may be made to end as by
 * `kill -9`. All of it is put around the journal and the transport: the daemon's own code knows nothing of it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'
import type { Transport } from '../../cloud/transport.ts'
import type { Change } from '../../daemon/pool/model.ts'
import type { PoolOptions } from '../../daemon/pool/pool.ts'

/** `call`: one that changes the cloud. `look`: one that only asks; asked again for the same reason it is the same look. */
export type StepKind = 'write' | 'call' | 'look'

/**
 * When a process is killed. A write: before or after it. A call: before it is sent; when the last byte of it has been
 * handed to the kernel, so that the cloud carries it out for nobody; when the first byte of the answer is there and has
 * not been read; when the client has the answer and the pool has not heard of it. For who comes after, a look has one
 * moment only: it leaves no trace.
 */
export type Moment = 'before' | 'after' | 'unsent' | 'sent' | 'unread' | 'unheard'

export const MOMENTS: Readonly<Record<StepKind, readonly Moment[]>> = {
  write: ['before', 'after'],
  call: ['unsent', 'sent', 'unread', 'unheard'],
  look: ['unsent'],
}

export interface Step {
  readonly name: string
  readonly kind: StepKind
}

export interface Death {
  readonly step: string
  readonly moment: Moment
}

type PoolJournal = PoolOptions['journal']

const REQUEST_CREATED = 'http.client.request.created'

export class Steps {
  readonly #death: Death | undefined
  readonly #seen = new Map<string, Step>()
  readonly #times = new Map<string, number>()
  /** The call that the code running now belongs to. */
  readonly #current = new AsyncLocalStorage<Step>()
  #last = 'the start'

  constructor(death?: Death) {
    this.#death = death
  }

  /** So far, each once. */
  get seen(): readonly Step[] {
    return [...this.#seen.values()]
  }

  /** From now on requests of this process are watched, until the end of what is returned. */
  watchRequests(): Disposable {
    const watch = (message: unknown) => this.#watch((message as { readonly request: ClientRequest }).request)
    subscribe(REQUEST_CREATED, watch)
    return { [Symbol.dispose]: () => void unsubscribe(REQUEST_CREATED, watch) }
  }

  journal(journal: PoolJournal): PoolJournal {
    return {
      commitPool: (changes) => {
        const step = this.#enter('write', summary(changes))
        this.#at(step, 'before')
        journal.commitPool(changes)
        this.#at(step, 'after')
      },
    }
  }

  transport(transport: Transport): Transport {
    return async (call, options) => {
      const { action } = call
      const isLook = action.startsWith('Describe')
      const step = isLook ? this.#look(`${action} after ${this.#last}`) : this.#enter('call', action)
      this.#at(step, 'unsent')
      const answer = await this.#current.run(step, () => transport(call, options))
      this.#at(step, 'unheard')
      return answer
    }
  }

  #watch(request: ClientRequest): void {
    const step = this.#current.getStore()
    if (step === undefined) return
    request.once('finish', () => this.#at(step, 'sent'))
    request.prependOnceListener('response', () => this.#at(step, 'unread'))
  }

  #enter(kind: StepKind, what: string): Step {
    const times = (this.#times.get(what) ?? 0) + 1
    this.#times.set(what, times)
    const step = { name: times === 1 ? what : `${what} #${times}`, kind }
    this.#seen.set(step.name, step)
    this.#last = step.name
    return step
  }

  #look(name: string): Step {
    const step = this.#seen.get(name) ?? { name, kind: 'look' }
    this.#seen.set(name, step)
    return step
  }

  #at({ name }: Step, moment: Moment): void {
    if (name !== this.#death?.step || moment !== this.#death.moment) return
    // A signal to oneself is delivered before the call returns (kill(2)): nothing happens after it.
    process.kill(process.pid, 'SIGKILL')
  }
}

/** `put-eni attaching, put-address warm`; how many of each may differ from run to run. */
function summary(changes: readonly Change[]): string {
  return [...new Set(changes.map((change) => `${change.kind}${detailOf(change)}`))].join(', ')
}

function detailOf(change: Change): string {
  switch (change.kind) {
    case 'put-eni':
      return ` ${change.eni.phase}`
    case 'put-address':
      return ` ${change.address.phase}`
    case 'put-prefix':
      return ` ${change.prefix.phase}`
    case 'put-assign':
      return ` ${change.assign.what}`
    default:
      return ''
  }
}
