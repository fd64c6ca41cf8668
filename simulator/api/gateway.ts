/** From a signed request to an answer: authentication, the action, idempotency, the audit. */
import { randomUUID } from 'node:crypto'
import type { Cloud } from '../cloud/cloud.ts'
import { ApiError } from '../cloud/error.ts'
import type { NodeName } from '../region/ids.ts'
import type { AccessKey } from '../region/region.ts'
import type { Action, Answer, Json } from './action.ts'
import type { Audit } from './audit.ts'
import { DESCRIBE_NETWORK_INTERFACE_ACTIONS } from './describe-network-interfaces.ts'
import { Idempotency } from './idempotency.ts'
import { INSTANCE_ACTIONS } from './instances.ts'
import { NETWORK_INTERFACE_ACTIONS } from './network-interfaces.ts'
import { NonceMemory } from './nonce-memory.ts'
import { Parameters } from './parameters.ts'
import { PRIVATE_IP_ADDRESS_ACTIONS } from './private-ip-addresses.ts'
import { CLOCK_TOLERANCE, type SignedRequest, verifySignature } from './signature.ts'
import { TAG_ACTIONS } from './tags.ts'
import { VSWITCH_ACTIONS } from './vswitches.ts'

const ACTIONS: ReadonlyMap<string, Action> = new Map(
  Object.entries({
    ...NETWORK_INTERFACE_ACTIONS,
    ...DESCRIBE_NETWORK_INTERFACE_ACTIONS,
    ...PRIVATE_IP_ADDRESS_ACTIONS,
    ...INSTANCE_ACTIONS,
    ...VSWITCH_ACTIONS,
    ...TAG_ACTIONS,
  }),
)

export interface GatewayOptions {
  readonly cloud: Cloud
  readonly audit: Audit
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /**
   * Called when a call may have changed the cloud; resolves when everything outside, like the links of the nodes, has
   * followed as far as it can.
   */
  readonly changed: () => Promise<void>
  /** Told of what is a defect of the simulator, not of the caller. */
  readonly onInternalError: (error: unknown) => void
}

export interface ApiResponse {
  /** HTTP status. */
  readonly status: number
  readonly body: Readonly<Record<string, Json>>
}

interface Call {
  readonly request: SignedRequest
  readonly parameters: Parameters
  readonly requestId: string
  key?: AccessKey
}

/** `milliseconds` of real time. */
function sleep(milliseconds: number): Promise<void> | undefined {
  return milliseconds === 0 ? undefined : new Promise((resolve) => setTimeout(resolve, milliseconds))
}

export class Gateway {
  readonly #options: GatewayOptions
  readonly #nonces = new NonceMemory(2 * CLOCK_TOLERANCE)
  readonly #idempotency = new Idempotency<Answer>()

  constructor(options: GatewayOptions) {
    this.#options = options
  }

  /** Never rejects: whatever fails becomes an error answer. `node` is the caller's, when it is known. */
  async answer(request: SignedRequest, node?: NodeName): Promise<ApiResponse> {
    const call: Call = { request, parameters: new Parameters(request.query), requestId: randomUUID().toUpperCase() }
    try {
      const body = await this.#perform(call)
      this.#record(call, { code: 'OK', status: 200, node })
      return { status: 200, body: { RequestId: call.requestId, ...body } }
    } catch (error) {
      const refusal = this.#refusal(error)
      this.#record(call, { code: refusal.code, status: refusal.status, node })
      return { status: refusal.status, body: errorJson(refusal, call) }
    }
  }

  async #perform(call: Call): Promise<Answer> {
    const { cloud, now, changed } = this.#options
    const { request, parameters } = call
    const keys = cloud.region.accessKeys
    const key = verifySignature(request, { keys, nonces: this.#nonces, now: now() })
    call.key = key
    const action = findAction(request)
    this.#checkRegion(action, parameters)
    cloud.advance()
    const run = () => action.handle(cloud, parameters)
    const body = action.clientToken
      ? this.#idempotency.once({
          scope: `${key.id} ${request.headers.get('x-acs-action')}`,
          token: parameters.optional('ClientToken'),
          fingerprint: parameters.fingerprint(),
          run,
        })
      : run()
    // The effect comes first and the answer later: a caller that gives up in between has an ENI it does not know of.
    await Promise.all([changed(), sleep(action.latency === undefined ? 0 : cloud.region.latencies[action.latency])])
    return body
  }

  #checkRegion(action: Action, parameters: Parameters): void {
    const region = this.#options.cloud.region.id
    if (action.regionId === 'optional' && !parameters.has('RegionId')) return
    const asked = parameters.required('RegionId')
    if (asked !== region) throw new ApiError('InvalidRegionId.NotFound', `The region ${asked} does not exist.`)
  }

  #refusal(error: unknown): ApiError {
    if (error instanceof ApiError) return error
    this.#options.onInternalError(error)
    return new ApiError('InternalError', 'The simulator failed to process the request; its log says why.')
  }

  #record(call: Call, result: { code: string; status: number; node: NodeName | undefined }): void {
    const { request, parameters, requestId, key } = call
    const clientToken = parameters.optional('ClientToken')
    this.#options.audit.add({
      time: new Date(this.#options.now()).toISOString(),
      action: request.headers.get('x-acs-action') ?? '',
      ...(key === undefined ? {} : { key: key.id }),
      ...(result.node === undefined ? {} : { node: result.node }),
      code: result.code,
      status: result.status,
      requestId,
      ...(clientToken === undefined ? {} : { clientToken }),
      parameters: Object.fromEntries(request.query),
    })
  }
}

function findAction({ headers, method }: SignedRequest): Action {
  if (method !== 'POST') throw new ApiError('UnsupportedHTTPMethod', `${method} is not supported, use POST.`)
  const name = headers.get('x-acs-action') ?? ''
  const version = headers.get('x-acs-version') ?? ''
  const action = ACTIONS.get(name)
  if (action !== undefined && action.version === version) return action
  throw new ApiError('InvalidAction.NotFound', `The action ${name} of the version ${version} does not exist.`)
}

function errorJson(error: ApiError, { request, requestId }: Call): Readonly<Record<string, Json>> {
  return {
    RequestId: requestId,
    HostId: request.headers.get('host') ?? '',
    Code: error.code,
    Message: error.message,
    Recommend: `https://api.aliyun.com/troubleshoot?q=${error.code}`,
  }
}
