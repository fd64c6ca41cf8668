/** Opening and closing servers. */
import type { Server } from 'node:http'

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
