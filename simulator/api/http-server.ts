/** The HTTP side of the API: reads a request, hands it to the gateway, writes the answer. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { parseIpv4 } from '../../inet/address.ts'
import type { Cloud } from '../cloud/cloud.ts'
import { instanceOf } from '../cloud/eni.ts'
import type { NodeName } from '../region/ids.ts'
import type { Control } from './control.ts'
import type { Gateway } from './gateway.ts'

export interface ApiServerOptions {
  readonly gateway: Gateway
  readonly cloud: Cloud
  /** The simulator's own endpoints; only the listener at home has them. */
  readonly control?: Control
}

/** Every parameter is in the query: a hundred ids and their tags need more than Node's 16 KiB. */
const MAX_HEADER = 256 * 1024
/** No action has a body; one that is this long is not read to its end. */
const MAX_BODY = 64 * 1024

class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError'
}

export function createApiServer(options: ApiServerOptions): Server {
  return createServer({ maxHeaderSize: MAX_HEADER }, (request, response) => {
    serve(request, response, options).catch((error: unknown) => {
      const tooLarge = error instanceof BodyTooLargeError
      // Anything else is a connection that ended before its request did: there is nobody to answer.
      if (tooLarge) sendJson(response, 413, { Message: error.message })
      else response.destroy()
    })
  })
}

async function serve(request: IncomingMessage, response: ServerResponse, options: ApiServerOptions): Promise<void> {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  if (path !== '/') {
    const found = request.method === 'GET' ? await options.control?.answer(path) : undefined
    if (found === undefined) sendJson(response, 404, { Message: `There is nothing at ${path}.` })
    else sendJson(response, 200, found)
    return
  }
  const signed = {
    method: request.method ?? '',
    path,
    query: new Map(new URLSearchParams(query)),
    headers: headersOf(request),
    body: await readBody(request),
  }
  const { status, body } = await options.gateway.answer(signed, callerOf(request, options.cloud))
  sendJson(response, status, body)
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json;charset=utf-8' }).end(JSON.stringify(body))
}

function headersOf(request: IncomingMessage): ReadonlyMap<string, string> {
  return new Map(Object.entries(request.headersDistinct).map(([name, values]) => [name, (values ?? []).join(',')]))
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('the request has an encoding set')
    size += chunk.length
    if (size > MAX_BODY)
      throw new BodyTooLargeError(`The body has more than ${MAX_BODY} bytes; parameters go in the query.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The node whose ENI holds the address the request came from. */
function callerOf(request: IncomingMessage, cloud: Cloud): NodeName | undefined {
  const address = request.socket.remoteAddress
  if (address === undefined || !address.includes('.') || address.includes(':')) return undefined
  const eni = cloud.eniByIp(parseIpv4(address))
  const instance = eni === undefined ? undefined : instanceOf(eni)
  return instance === undefined ? undefined : cloud.nodeOf(instance)?.name
}
