/** The instance metadata service: the address a request comes from tells the instance. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { AddressError, parseIpv4 } from '../../inet/address.ts'
import { TemporaryKeys } from '../api/temporary-keys.ts'
import type { Cloud } from '../cloud/cloud.ts'
import { instanceOf } from '../cloud/eni.ts'
import type { Faults } from '../faults/faults.ts'
import { hold } from '../listen.ts'
import type { Node } from '../region/region.ts'
import { lookUp, metadataItems } from './items.ts'
import { RoleKeys } from './role-keys.ts'
import { MetadataTokens } from './tokens.ts'

export interface MetadataRequest {
  readonly method: string
  readonly path: string
  /** Names in lower case. */
  readonly headers: IncomingMessage['headers']
  /** Where it comes from. */
  readonly address: string
}

export interface MetadataAnswer {
  /** HTTP status. */
  readonly status: number
  readonly text: string
  /** Nothing is sent, and the connection stays open. */
  readonly silent?: true
}

export interface MetadataOptions {
  readonly cloud: Cloud
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly faults?: Faults
  /** Shared with the API, so that it knows the keys that roles get here. */
  readonly temporaryKeys?: TemporaryKeys
}

const TTL_HEADER = 'x-aliyun-ecs-metadata-token-ttl-seconds'
const TOKEN_HEADER = 'x-aliyun-ecs-metadata-token'
const ROOT = '/latest/'
const CREDENTIALS = 'meta-data/ram/security-credentials/'

export class MetadataService {
  readonly #cloud: Cloud
  readonly #now: () => number
  readonly #faults: Faults | undefined
  readonly #tokens = new MetadataTokens()
  readonly #roleKeys: RoleKeys

  constructor({ cloud, now, faults, temporaryKeys = new TemporaryKeys(now) }: MetadataOptions) {
    this.#cloud = cloud
    this.#now = now
    this.#faults = faults
    this.#roleKeys = new RoleKeys(temporaryKeys, now)
  }

  answer(request: MetadataRequest): MetadataAnswer {
    this.#cloud.advance()
    const node = this.#callerOf(request.address)
    if (node === undefined) return { status: 404, text: `${request.address} is not an address of an instance` }
    const fault = this.#faultOf(node, request.path)
    if (fault !== undefined) return fault
    if (request.method === 'PUT' && request.path === `${ROOT}api/token`) return this.#issueToken(node, request)
    if (request.method !== 'GET') return { status: 405, text: `${request.method} is not supported` }
    return this.#refusalOf(node, request) ?? this.#read(node, request.path)
  }

  #callerOf(address: string): Node | undefined {
    try {
      const eni = this.#cloud.eniByIp(parseIpv4(address))
      const instance = eni === undefined ? undefined : instanceOf(eni)
      return instance === undefined ? undefined : this.#cloud.nodeOf(instance)
    } catch (error) {
      if (error instanceof AddressError) return undefined
      throw error
    }
  }

  #faultOf(node: Node, path: string): MetadataAnswer | undefined {
    const below = path.startsWith(ROOT) ? path.slice(ROOT.length) : path
    const status = this.#faults?.onMetadata(node.name, below)
    if (status === undefined) return undefined
    return status === 'timeout' ? { status: 0, text: '', silent: true } : { status, text: 'a fault was asked for' }
  }

  #issueToken(node: Node, { headers }: MetadataRequest): MetadataAnswer {
    // A request that a proxy passed on must not get the instance's token.
    if (headers['x-forwarded-for'] !== undefined) return { status: 403, text: 'X-Forwarded-For is not allowed' }
    const ttl = String(headers[TTL_HEADER] ?? '')
    const token = this.#tokens.issue(node.instanceId, { ttl, now: this.#now() })
    return token === undefined
      ? { status: 400, text: `${TTL_HEADER} must be 1 to 21600` }
      : { status: 200, text: token }
  }

  #refusalOf(node: Node, { headers }: MetadataRequest): MetadataAnswer | undefined {
    const token = headers[TOKEN_HEADER]
    if (token === undefined) {
      return node.metadataTokens === 'required' ? { status: 403, text: 'a token is required' } : undefined
    }
    const valid = this.#tokens.isValid(String(token), { instance: node.instanceId, now: this.#now() })
    return valid ? undefined : { status: 401, text: 'the token is unknown or has expired' }
  }

  #read(node: Node, path: string): MetadataAnswer {
    const below = path.startsWith(ROOT) ? path.slice(ROOT.length) : undefined
    const text = below === undefined ? undefined : (this.#credentials(node, below) ?? this.#item(node, below))
    return text === undefined ? { status: 404, text: `there is nothing at ${path}` } : { status: 200, text }
  }

  #item(node: Node, path: string): string | undefined {
    const { region } = this.#cloud
    const items = new Map(metadataItems(region, node, this.#cloud.metadataOf(node.instanceId)))
    // For the listings: the credentials themselves are made when they are read.
    if (node.ramRole !== undefined) items.set(`${CREDENTIALS}${node.ramRole}`, '')
    return lookUp(items, path)
  }

  #credentials(node: Node, path: string): string | undefined {
    const role = node.ramRole === undefined ? undefined : this.#cloud.region.ramRoles.get(node.ramRole)
    return role !== undefined && path === `${CREDENTIALS}${role.name}` ? this.#roleKeys.item(node, role) : undefined
  }
}

export function createMetadataServer(service: MetadataService): Server {
  return createServer((request, response) => {
    request.resume()
    const { status, text, silent } = service.answer({
      method: request.method ?? '',
      path: (request.url ?? '').split('?')[0] ?? '',
      headers: request.headers,
      address: request.socket.remoteAddress ?? '',
    })
    if (silent === true) hold(response)
    else response.writeHead(status, { 'content-type': 'text/plain;charset=utf-8' }).end(text)
  })
}
