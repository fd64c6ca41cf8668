/** Opening and closing servers, and connections that nobody answers. */
import type { Server, ServerResponse } from 'node:http'

/** A port of the machine, or a descriptor that listens already. */
export type Listener = { readonly host: string; readonly port: number } | { readonly fd: number }

/** The address cannot be listened on; the message says which and why. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

/** Rejects with ListenError. */
export function listen(server: Server, where: Listener): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => {
      const address = 'fd' in where ? `descriptor ${where.fd}` : `${where.host}:${where.port}`
      reject(new ListenError(`cannot listen on ${address}: ${cause.message}`, { cause }))
    }
    server.once('error', fail)
    server.listen(where, () => {
      server.off('error', fail)
      resolve()
    })
  })
}

/** Ends the connections too. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)))
    server.closeAllConnections()
  })
}

/** Real time, ms: no client waits longer. */
const SILENCE = 300_000

/** Never answers. The connection is closed when the client, the server or this process's patience ends it. */
export function hold(response: ServerResponse): void {
  const timer = setTimeout(() => response.destroy(), SILENCE)
  response.on('close', () => clearTimeout(timer))
}
