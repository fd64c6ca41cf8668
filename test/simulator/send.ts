/** A request over a real connection, with headers that fetch would not send. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { SignedRequest } from '../../simulator/api/signature.ts'

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Rejects with the error of the connection, or when `signal` ends it. */
export function send(api: string, request: SignedRequest, signal?: AbortSignal): Promise<HttpAnswer> {
  const url = new URL(request.path, api)
  url.search = new URLSearchParams([...request.query]).toString()
  const headers = Object.fromEntries(request.headers)
  const options = {
    method: request.method,
    headers,
    agent: false as const,
    ...(signal === undefined ? {} : { signal }),
  }
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url, options, (answer) => {
      answer.setEncoding('utf8')
      let text = ''
      answer.on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }))
      answer.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(request.body)
  })
}
