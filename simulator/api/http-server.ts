/** The HTTP side of the API: reads a request, hands it to the gateway, writes the answer. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { cidrContains, parseIpv4 } from '../../inet/address.ts'
import type { Cloud } from '../cloud/cloud.ts'
import { instanceOf } from '../cloud/eni.ts'
import { hold } from '../listen.ts'
import type { NodeName } from '../region/ids.ts'
import type { Control } from './control.ts'
import type { Gateway } from './gateway.ts'
import type { ApiResponse } from './response.ts'

export interface ApiServerOptions {
  readonly gateway: Gateway
  readonly cloud: Cloud
  /** The simulator's own endpoints; only the listener at home has them. */
  readonly control?: Control
  /** Told of what is a defect of the simulator, not of the caller. */
  readonly onInternalError: (error: unknown) => void
}

/** Every parameter is in the query: a hundred ids and their tags need more than Node's 16 KiB. */
const MAX_HEADER = 256 * 1024
/** No action has so long a body. */
const MAX_BODY = 64 * 1024
/** One that is longer is read and thrown away up to here, since who still sends does not listen. */
const MAX_READ = 16 * 1024 * 1024

class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError'
}

export function createApiServer(options: ApiServerOptions): Server {
  return createServer({ maxHeaderSize: MAX_HEADER }, (request, response) => void serve(request, response, options))
}

/** Never rejects. */
async function serve(request: IncomingMessage, response: ServerResponse, options: ApiServerOptions): Promise<void> {
  let body: Buffer
  try {
    body = await readBody(request)
  } catch (error) {
    const { message } = error instanceof Error ? error : new Error(String(error))
    // What is left of the body would be taken for the next request.
    const headers = { connection: 'close' }
    if (error instanceof BodyTooLargeError) sendJson(response, { status: 413, body: { Message: message }, headers })
    // The connection ended before its request did: there is nobody to answer.
    else response.destroy()
    return
  }
  try {
    await answer(request, response, { ...options, body })
  } catch (error) {
    options.onInternalError(error)
    const message = error instanceof Error ? error.message : String(error)
    if (response.headersSent) response.destroy()
    else sendJson(response, { status: 500, body: { Message: message } })
  }
}

interface Answering extends ApiServerOptions {
  readonly body: Buffer
}

/** Rejects when an endpoint of the simulator's own fails. */
async function answer(request: IncomingMessage, response: ServerResponse, options: Answering): Promise<void> {
  const { method = '', url = '' } = request
  const { body } = options
  const { path, query } = splitUrl(url)
  const accept = request.headers.accept ?? ''
  const own = await options.control?.answer({ method, path, query, body: body.toString(), accept })
  if (own !== undefined) {
    if ('html' in own) send(response, { status: own.status, type: 'text/html', text: own.html })
    else sendJson(response, own)
  } else if (path !== '/') {
    sendJson(response, { status: 404, body: { Message: `There is nothing at ${path}.` } })
  } else {
    const signed = { method, path, query, headers: headersOf(request), body }
    const address = request.socket.remoteAddress
    deliver(response, await options.gateway.answer(signed, callerOf(address, options.cloud), address))
  }
}

/** The first question mark ends the path; those after it are text. */
function splitUrl(url: string): { readonly path: string; readonly query: ReadonlyMap<string, string> } {
  const mark = url.indexOf('?')
  if (mark < 0) return { path: url, query: new Map() }
  return { path: url.slice(0, mark), query: new Map(new URLSearchParams(url.slice(mark + 1))) }
}

function deliver(response: ServerResponse, answer: ApiResponse): void {
  const { delivery } = answer
  switch (delivery.kind) {
    case 'whole':
      sendJson(response, answer)
      break
    case 'truncated': {
      const text = JSON.stringify(answer.body)
      const half = text.slice(0, text.length / 2)
      send(response, { status: answer.status, type: 'application/json', text: half, headers: answer.headers })
      break
    }
    case 'page': {
      const text = `<html><head><title>${delivery.status}</title></head><body><h1>${delivery.status}</h1></body></html>`
      send(response, { status: delivery.status, type: 'text/html', text })
      break
    }
    case 'silence':
      hold(response)
      break
    case 'reset':
      response.socket?.resetAndDestroy()
      break
  }
}

interface Written {
  readonly status: number
  readonly type: 'application/json' | 'text/html'
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

function send(response: ServerResponse, { status, type, text, headers = {} }: Written): void {
  response.writeHead(status, { ...headers, 'content-type': `${type};charset=utf-8` }).end(text)
}

interface JsonAnswer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

function sendJson(response: ServerResponse, { status, body, headers = {} }: JsonAnswer): void {
  send(response, { status, type: 'application/json', text: JSON.stringify(body), headers })
}

function headersOf(request: IncomingMessage): ReadonlyMap<string, string> {
  return new Map(Object.entries(request.headersDistinct).map(([name, values]) => [name, (values ?? []).join(',')]))
}

/** Rejects with BodyTooLargeError, or when the connection ends before the request does. */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  // Without this the end of the loop would end the connection, and with it the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('the request has an encoding set')
    size += chunk.length
    if (size > MAX_READ) break
    if (size <= MAX_BODY) chunks.push(chunk)
  }
  if (size > MAX_BODY) throw new BodyTooLargeError(`The body has more than ${MAX_BODY} bytes.`)
  return Buffer.concat(chunks)
}

/** The node whose ENI holds the address the request came from. */
function callerOf(address: string | undefined, cloud: Cloud): NodeName | undefined {
  if (address === undefined || !address.includes('.') || address.includes(':')) return undefined
  const ip = parseIpv4(address)
  // Most callers at home are outside, and looking for their address takes time.
  if (!cidrContains(cloud.region.vpc.cidr, ip)) return undefined
  const eni = cloud.eniByIp(ip)
  const instance = eni === undefined ? undefined : instanceOf(eni)
  return instance === undefined ? undefined : cloud.nodeOf(instance)?.name
}
