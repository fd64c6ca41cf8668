/** From a request to an answer: authentication, faults, throttling, permission, idempotency, the action, the audit. */
import { randomUUID } from 'node:crypto'
import { RegionClock } from '../clock.ts'
import type { Cloud } from '../cloud/cloud.ts'
import type { Eni } from '../cloud/eni.ts'
import { ApiError } from '../cloud/error.ts'
import type { Outcome } from '../faults/fault.ts'
import { type CallFacts, Faults, UNHARMED, type Verdict } from '../faults/faults.ts'
import { shownEnis } from '../faults/wrong-list.ts'
import type { EniId, NodeName, VSwitchId } from '../region/ids.ts'
import type { Action, Answer, CallContext } from './action.ts'
import { ACTIONS } from './actions.ts'
import type { Audit } from './audit.ts'
import { Idempotency, type IdempotentAnswer } from './idempotency.ts'
import { NonceMemory } from './nonce-memory.ts'
import { openPageToken, sealPageToken } from './page-token.ts'
import { Parameters } from './parameters.ts'
import { checkPermission } from './policy.ts'
import { type ApiResponse, type Refusal, refusalOf, refused, success, UNPROCESSED } from './response.ts'
import { CLOCK_TOLERANCE, type SignedRequest, verifySignature } from './signature.ts'
import { checkSecurityToken, type Key, TemporaryKeys } from './temporary-keys.ts'
import { Throttle } from './throttle.ts'

export interface GatewayOptions {
  readonly cloud: Cloud
  readonly audit: Audit
  /** Milliseconds since the epoch, of the region's clock. */
  readonly now: () => number
  /**
   * Called when a call may have changed the cloud; resolves when everything outside, like the links of the nodes, has
   * followed as far as it can.
   */
  readonly changed: () => Promise<void>
  /** Told of what is a defect of the simulator, not of the caller. */
  readonly onInternalError: (error: unknown) => void
  /** The clock that clients date their signatures by; as `now` where it is not given. */
  readonly wall?: () => number
  /** Waits for milliseconds of the region's clock; real ones where it is not given. */
  readonly sleep?: (milliseconds: number) => Promise<void>
  readonly faults?: Faults
  /** Shared with who else gives out keys. */
  readonly temporaryKeys?: TemporaryKeys
  /** Makes all calls, unsigned. Not given: each call proves by its signature who makes it. */
  readonly caller?: Key
}

interface Call {
  readonly request: SignedRequest
  readonly name: string
  readonly version: string
  /** As it was sent: the query, and a form if the body is one. */
  readonly query: ReadonlyMap<string, string>
  readonly requestId: string
  readonly host: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly node: NodeName | undefined
  readonly address: string | undefined
  key?: Key
  faults: readonly string[]
  effect: boolean
  /** Let go of what the call holds until it is answered: its ClientToken, its turn at an ENI. */
  readonly ends: (() => void)[]
}

export class Gateway {
  readonly #options: GatewayOptions
  readonly #nonces = new NonceMemory(2 * CLOCK_TOLERANCE)
  readonly #idempotency: Idempotency<Answer>
  /** ENIs whose turn a call has. */
  readonly #busy = new Set<string>()
  readonly #throttle: Throttle
  readonly #faults: Faults
  readonly #temporaryKeys: TemporaryKeys
  readonly #wall: () => number
  readonly #sleep: (milliseconds: number) => Promise<void>

  constructor(options: GatewayOptions) {
    const { cloud, now } = options
    this.#options = options
    this.#wall = options.wall ?? now
    this.#sleep = options.sleep ?? new RegionClock().sleep
    this.#faults = options.faults ?? new Faults({ region: cloud.region, now })
    this.#temporaryKeys = options.temporaryKeys ?? new TemporaryKeys(now)
    this.#idempotency = new Idempotency(now)
    this.#throttle = new Throttle(cloud.region.throttle)
  }

  /** Names of all actions there are. */
  get actions(): readonly string[] {
    return [...ACTIONS.keys()]
  }

  /**
   * Never rejects: whatever fails becomes an error answer. `node` is the caller's and `address` where it calls from,
   * when they are known.
   */
  async answer(request: SignedRequest, node?: NodeName, address?: string): Promise<ApiResponse> {
    const call = this.#open(request, { node, address })
    const response = await this.#respond(call)
    for (const end of call.ends) end()
    this.#record(call, response)
    return response
  }

  #open(request: SignedRequest, { node, address }: Pick<Call, 'node' | 'address'>): Call {
    const query = parametersOf(request)
    return {
      ...{ request, query, node, address },
      name: request.headers.get('x-acs-action') ?? query.get('Action') ?? '',
      version: request.headers.get('x-acs-version') ?? query.get('Version') ?? '',
      requestId: randomUUID().toUpperCase(),
      host: request.headers.get('host') ?? '',
      startedAt: this.#options.now(),
      faults: [],
      effect: false,
      ends: [],
    }
  }

  async #respond(call: Call): Promise<ApiResponse> {
    try {
      const action = this.#admit(call)
      const verdict = this.#faults.size === 0 ? UNHARMED : this.#faults.onCall(factsOf(call, this.#options.cloud))
      call.faults = verdict.faults
      await this.#sleep(verdict.delayBefore)
      const perform = async () => await this.#perform(call, action, verdict)
      const response = await interrupted(perform, call, verdict.outcome)
      await this.#sleep(verdict.delayAfter)
      return response
    } catch (error) {
      return refused(this.#refusal(error), call)
    }
  }

  /** Who calls, and what. */
  #admit(call: Call): Action {
    const action = ACTIONS.get(call.name)
    if (action?.unsigned !== true) call.key = this.#options.caller ?? this.#authenticate(call.request)
    if (call.request.method !== 'POST') {
      throw new ApiError('UnsupportedHTTPMethod', `${call.request.method} is not supported, use POST.`)
    }
    if (action !== undefined && action.version === call.version) return action
    throw new ApiError('InvalidAction.NotFound', `The action ${call.name} of the version ${call.version} is unknown.`)
  }

  #authenticate(request: SignedRequest): Key {
    const { cloud, now } = this.#options
    const key = verifySignature<Key>(request, {
      find: (id) => cloud.region.accessKeys.get(id) ?? this.#temporaryKeys.find(id),
      nonces: this.#nonces,
      now: this.#wall(),
    })
    checkSecurityToken(key, request.headers.get('x-acs-security-token'), now())
    return key
  }

  /** The call without what faults do to it on the way; refusals are answers. */
  async #perform(call: Call, action: Action, verdict: Verdict): Promise<ApiResponse> {
    try {
      return success(await this.#run(call, action, verdict), call.requestId)
    } catch (error) {
      return refused(this.#refusal(error), call)
    }
  }

  async #run(call: Call, action: Action, verdict: Verdict): Promise<Answer> {
    const { cloud, now, changed } = this.#options
    const { key, name, requestId } = call
    this.#throttle.admit(name, now())
    if (key !== undefined) {
      checkPermission({ key, version: action.version, action: name, account: cloud.region.account, requestId })
    }
    const listing = { action: name, query: call.query, now: now() }
    const asked = new Parameters(call.query)
    this.#checkRegion(action, asked)
    asked.only(action.parameters)
    const parameters = new Parameters(openPageToken(listing))
    const before = [cloud.version, cloud.nextDue]
    cloud.advance()
    const version = cloud.version
    const { answer, replayed } = this.#once(call, action, parameters, () =>
      action.handle(cloud, parameters, this.#context(call, verdict)),
    )
    call.effect = cloud.version !== version
    // The effect comes first and the answer later: a caller that gives up in between has an ENI it does not know of.
    const latency = action.latency === undefined || replayed ? 0 : cloud.region.latencies[action.latency]
    const isAsBefore = before[0] === cloud.version && before[1] === cloud.nextDue
    await Promise.all([isAsBefore ? undefined : changed(), this.#sleep(latency)])
    const { NextToken: next } = answer
    return typeof next === 'string' && next !== '' ? { ...answer, NextToken: sealPageToken(next, listing) } : answer
  }

  #once(call: Call, action: Action, parameters: Parameters, run: () => Answer): IdempotentAnswer<Answer> {
    const token = action.parameters.includes('ClientToken') ? parameters.optional('ClientToken') : undefined
    const begun = this.#idempotency.begin({
      ...{ scope: call.name, token, fingerprint: parameters.fingerprint() },
      run: () => this.#inTurn(call, action, run),
    })
    call.ends.push(begun.end)
    return begun
  }

  /** A call that is refused has no turn. @throws ApiError Operation.Conflict when another call has the ENI's. */
  #inTurn(call: Call, action: Action, run: () => Answer): Answer {
    const eni = call.query.get('NetworkInterfaceId')
    if (action.alone !== true || eni === undefined) return run()
    if (this.#busy.has(eni)) throw new ApiError('Operation.Conflict', 'ecs task is conflicted.')
    const answer = run()
    this.#busy.add(eni)
    call.ends.push(() => this.#busy.delete(eni))
    return answer
  }

  /** Only who asks for the ENIs pays for their list. */
  #context(call: Call, { lists }: Verdict): CallContext {
    const { cloud, now } = this.#options
    const time = now()
    const asOf = (lag: number) => (lag === 0 ? cloud.enis() : cloud.enisAt(time - lag))
    return {
      get enis() {
        return shownEnis(asOf, cloud.region.latencies.describe, lists)
      },
      shown: (matching) => this.#shown(call, matching),
      temporaryKeys: this.#temporaryKeys,
      wall: this.#wall(),
    }
  }

  #shown(call: Call, matching: readonly Eni[]): readonly Eni[] {
    if (this.#faults.size === 0) return matching
    const ids = matching.map(({ id }) => id)
    const { faults, enis } = this.#faults.onFound(factsOf(call, this.#options.cloud), ids)
    call.faults = [...call.faults, ...faults]
    return matching.filter(({ id }) => !enis.includes(id))
  }

  #checkRegion(action: Action, parameters: Parameters): void {
    const region = this.#options.cloud.region.id
    if (action.regionId === 'optional' && !parameters.has('RegionId')) return
    const asked = parameters.required('RegionId')
    if (asked !== region) throw new ApiError('InvalidRegionId.NotFound', `The region ${asked} does not exist.`)
  }

  #refusal(error: unknown): Refusal {
    if (error instanceof ApiError) return refusalOf(error)
    this.#options.onInternalError(error)
    const message = 'The simulator failed to process the request; its log says why.'
    return { code: 'InternalError', status: 500, message }
  }

  #record(call: Call, { status, body, delivery }: ApiResponse): void {
    // What somebody sends who proves nothing is not worth keeping; who is not to sign is believed when it is answered.
    const sent = call.key !== undefined || status === 200 ? call.query : new Map<string, string>()
    const clientToken = sent.get('ClientToken')
    const region = sent.get('RegionId')
    this.#options.audit.add({
      time: new Date(call.startedAt).toISOString(),
      milliseconds: this.#options.now() - call.startedAt,
      action: call.name,
      ...(region === undefined ? {} : { region }),
      ...(call.key === undefined ? {} : { key: call.key.id }),
      ...(call.node === undefined ? {} : { node: call.node }),
      ...(call.address === undefined ? {} : { address: call.address }),
      code: status === 0 ? 'None' : status === 200 ? 'OK' : String(body.Code),
      status,
      ...(delivery.kind === 'whole' ? {} : { delivery: delivery.kind }),
      effect: call.effect,
      ...(call.faults.length === 0 ? {} : { faults: call.faults }),
      requestId: call.requestId,
      ...(clientToken === undefined ? {} : { clientToken }),
      parameters: shownParameters(sent),
    })
  }
}

/** What a fault leaves of the call. */
async function interrupted(
  perform: () => Promise<ApiResponse>,
  call: Call,
  outcome: Outcome | undefined,
): Promise<ApiResponse> {
  if (outcome === undefined) return await perform()
  switch (outcome.kind) {
    case 'error':
      return refused(outcome, call)
    case 'empty-id':
      return success({ NetworkInterfaceId: '' }, call.requestId)
    case 'truncated':
      return { ...(await perform()), delivery: { kind: 'truncated' } }
    case 'silence':
    case 'reset':
    case 'page':
      return { ...(outcome.when === 'before' ? UNPROCESSED : await perform()), delivery: outcome }
  }
}

/** The query counts where a form in the body says otherwise. */
function parametersOf({ query, headers, body }: SignedRequest): ReadonlyMap<string, string> {
  if (body.length === 0 || !/^application\/x-www-form-urlencoded\b/.test(headers.get('content-type') ?? ''))
    return query
  return new Map([...new URLSearchParams(Buffer.from(body).toString()), ...query])
}

/** An OIDC token is as good as a key. */
function shownParameters(query: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  return Object.fromEntries([...query].map(([name, text]) => [name, name === 'OIDCToken' ? '(not shown)' : text]))
}

/** What faults can select the call by. */
function factsOf({ name, node, key, query }: Call, cloud: Cloud): CallFacts {
  const named = [...query].flatMap(([parameter, text]) =>
    /^(NetworkInterfaceId|TrunkNetworkInstanceId|ResourceId)(\.\d+)?$/.test(parameter) ? [text as EniId] : [],
  )
  const vSwitch = query.get('VSwitchId')
  const enis = cloud.enis().filter((eni) => named.includes(eni.id))
  const vSwitches = [...(vSwitch === undefined ? [] : [vSwitch as VSwitchId]), ...enis.map((eni) => eni.vSwitchId)]
  return { action: name, node, key: key?.id ?? '', enis: named, vSwitches }
}
