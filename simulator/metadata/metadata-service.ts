/** The instance metadata service: the address a request comes from tells the instance. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { AddressError, parseIpv4 } from '../../inet/address.ts'
import type { Cloud } from '../cloud/cloud.ts'
import { instanceOf } from '../cloud/eni.ts'
import type { Node } from '../region/region.ts'
import { lookUp, metadataItems } from './items.ts'
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
}

export interface MetadataOptions {
  readonly cloud: Cloud
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const TTL_HEADER = 'x-aliyun-ecs-metadata-token-ttl-seconds'
const TOKEN_HEADER = 'x-aliyun-ecs-metadata-token'
const ROOT = '/latest/'

export class MetadataService {
  readonly #cloud: Cloud
  readonly #now: () => number
  readonly #tokens = new MetadataTokens()

  constructor({ cloud, now }: MetadataOptions) {
    this.#cloud = cloud
    this.#now = now
  }

  answer(request: MetadataRequest): MetadataAnswer {
    this.#cloud.advance()
    const node = this.#callerOf(request.address)
    if (node === undefined) return { status: 404, text: `${request.address} is not an address of an instance` }
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
    const items = metadataItems(this.#cloud.region, node, this.#cloud.metadataOf(node.instanceId))
    const text = path.startsWith(ROOT) ? lookUp(items, path.slice(ROOT.length)) : undefined
    return text === undefined ? { status: 404, text: `there is nothing at ${path}` } : { status: 200, text }
  }
}

export function createMetadataServer(service: MetadataService): Server {
  return createServer((request, response) => {
    request.resume()
    const { status, text } = service.answer({
      method: request.method ?? '',
      path: (request.url ?? '').split('?')[0] ?? '',
      headers: request.headers,
      address: request.socket.remoteAddress ?? '',
    })
    response.writeHead(status, { 'content-type': 'text/plain;charset=utf-8' }).end(text)
  })
}
