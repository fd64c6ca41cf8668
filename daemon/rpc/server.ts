/** The daemon's socket: a path socket for root alone, in a directory where nobody else can put another in its place. */
import { chmodSync, existsSync, lstatSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { createConnection } from 'node:net'
import { dirname } from 'node:path'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { Cni, Inspect, Repair } from '../../proto/contract.ts'
import type { CniHandlers } from '../../proto/generated/terway/cni/v1/Cni.ts'
import type { InspectHandlers } from '../../proto/generated/terway/inspect/v1/Inspect.ts'
import type { RepairHandlers } from '../../proto/generated/terway/repair/v1/Repair.ts'

export interface Services {
  readonly cni: CniHandlers
  readonly inspect: InspectHandlers
  readonly repair: RepairHandlers
}

/** The socket's path cannot be used. */
export class SocketError extends Error {
  override readonly name = 'SocketError'
}

/** Calls under way get this long to end when the daemon stops, ms. */
const GRACE = 5_000
/** S_IWGRP and S_IWOTH of inode(7). */
const OTHERS_WRITE = 0o022

export interface RunningServer {
  /** Takes no new calls, waits for the running ones, then closes the socket. */
  stop(): Promise<void>
}

/**
 * @throws SocketError when others can write to the directory, another daemon answers on the path, or something that is
 * no socket is there.
 */
export async function serve(path: string, services: Services): Promise<RunningServer> {
  prepareDirectory(dirname(path))
  await removeStale(path)
  const server = new Server()
  server.addService(Cni.service, services.cni)
  server.addService(Inspect.service, services.inspect)
  server.addService(Repair.service, services.repair)
  // Nobody may connect between bind and chmod.
  const mask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix://${path}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      )
    })
  } finally {
    process.umask(mask)
  }
  chmodSync(path, 0o600)
  return { stop: () => stop(server) }
}

/** A directory that is there may be shared, such as /run: its mode is its owner's affair. */
function prepareDirectory(directory: string): void {
  if (mkdirSync(directory, { recursive: true, mode: 0o700 }) !== undefined) return
  const { uid, mode } = statSync(directory)
  if (uid === process.getuid?.() && (mode & OTHERS_WRITE) === 0) return
  const found = `it belongs to user ${uid} and has mode ${(mode & 0o7777).toString(8).padStart(4, '0')}`
  const advice = 'chown it to the user of terwayd and chmod it go-w, or choose another --socket'
  throw new SocketError(`others could put a socket of their own into ${directory}: ${found}; ${advice}`)
}

/** A killed daemon leaves its socket file behind, and bind refuses a name that is taken. */
async function removeStale(path: string): Promise<void> {
  if (!existsSync(path)) return
  if (!lstatSync(path).isSocket()) {
    throw new SocketError(`${path} is there and is not a socket; remove it or choose another --socket`)
  }
  const answered = await new Promise<boolean>((resolve) => {
    const probe = createConnection(path)
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false))
    probe.once('connect', () => probe.destroy())
  })
  if (answered) throw new SocketError(`another daemon answers on ${path}; end it first`)
  rmSync(path)
}

async function stop(server: Server): Promise<void> {
  const timer = setTimeout(() => server.forceShutdown(), GRACE)
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
  clearTimeout(timer)
}
