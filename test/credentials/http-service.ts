/** A real HTTP service on the loopback whose answers a test writes. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Asked {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** `hang-up` closes the connection without an answer, `silence` keeps it open. */
export type Reply =
  | { readonly status?: number; readonly text?: string; readonly headers?: Record<string, string> }
  | 'hang-up'
  | 'silence'

export class HttpService {
  readonly asked: Asked[] = []
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(reply: (asked: Asked) => Reply): Promise<HttpService> {
    const server = createServer(async (request, response) => {
      const { method = '', url: path = '', headers } = request
      const asked = { method, path, headers, body: await text(request) }
      service.asked.push(asked)
      const answer = reply(asked)
      if (answer === 'hang-up') request.socket.destroy()
      else if (answer !== 'silence') response.writeHead(answer.status ?? 200, answer.headers).end(answer.text)
    })
    const service = new HttpService(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return service
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get calls(): string[] {
    return this.asked.map(({ method, path }) => `${method} ${path}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
