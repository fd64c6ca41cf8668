/** Connections between network namespaces, with Node's own sockets at both ends. */
import { join } from 'node:path'
import { CommandError, execute, Service, until } from './process.ts'

const NODE = join(import.meta.dirname, '..', '..', 'hack', 'node')
/** Longer than the kernel's first retransmission of a SYN (1 s), ms. */
const CONNECT_TIMEOUT = 3_000

export interface TcpServerOptions {
  /** Path of the namespace to listen in. */
  readonly netns: string
  readonly port: number
  readonly logFile: string
}

/** Tells everyone who connects the address it sees them come from. Resolves once it listens, to the process to stop. */
export async function startTcpServer({ netns, port, logFile }: TcpServerOptions): Promise<Service> {
  const script = `require('node:net').createServer((peer) => peer.end(peer.remoteAddress)).listen(${port}, '0.0.0.0')`
  const server = new Service({ name: 'TCP server', argv: ['nsenter', `--net=${netns}`, NODE, '-e', script], logFile })
  const listens = async () => {
    server.failIfEnded()
    return (await askTcp({ from: netns, to: '127.0.0.1', port })) === undefined ? undefined : true
  }
  await until(listens, { what: `a TCP server in ${netns}` })
  return server
}

export interface TcpQuestion {
  /** Path of the namespace to connect from. */
  readonly from: string
  readonly to: string
  readonly port: number
}

/** What the server at that address says; undefined when nobody answers there. */
export async function askTcp({ from, to, port }: TcpQuestion): Promise<string | undefined> {
  const script = `
    const socket = require('node:net').connect({ host: '${to}', port: ${port}, timeout: ${CONNECT_TIMEOUT} })
    socket.on('timeout', () => socket.destroy(new Error('timeout'))).on('error', () => process.exit(7))
    socket.pipe(process.stdout)`
  const { status, stdout, stderr } = await execute(['nsenter', `--net=${from}`, NODE, '-e', script])
  if (status === 0) return stdout
  if (status === 7) return undefined
  throw new CommandError(`TCP from ${from} to ${to}: ${stderr.trim()}`)
}
