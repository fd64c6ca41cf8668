/** The client under test: as a module, and as the plugin that a runtime starts, straight from its source. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { CallError, callDaemon, type DaemonCall, type Outcome } from '../../cni-plugin/call.ts'
import { exitOf, type PluginExit } from '../plugin/run-plugin.ts'

export const INVOCATION = {
  containerId: 'c1',
  netns: '/run/netns/tw-wire-none',
  ifname: 'eth0',
  args: 'K8S_POD_NAME=web-0;K8S_POD_NAMESPACE=käse',
  config: Buffer.from('{"cniVersion":"1.1.0"}'),
}
/** ms; none of the calls that are meant to end by themselves comes near. */
const PATIENCE = 30_000

export function call(socket: string, change: Partial<DaemonCall> = {}): Promise<Outcome> {
  return callDaemon({ socket, verb: 'ADD', invocation: INVOCATION, timeoutMs: PATIENCE, ...change })
}

/** How a call failed: `unreachable: connect ENOENT …`. */
export async function failure(socket: string, change: Partial<DaemonCall> = {}): Promise<string> {
  try {
    await call(socket, change)
  } catch (error) {
    if (error instanceof CallError) return `${error.failure}: ${error.message}`
    throw error
  }
  throw new Error('the call succeeded')
}

const MAIN = join(import.meta.dirname, '..', '..', 'cni-plugin', 'main.ts')

/** One start of the plugin for the daemon on the socket. */
export async function runFromSource(
  socket: string,
  { verb = 'ADD', env = {}, config = {} }: { verb?: string; env?: object; config?: object } = {},
): Promise<PluginExit> {
  const sandbox = {
    CNI_COMMAND: verb,
    CNI_CONTAINERID: INVOCATION.containerId,
    CNI_NETNS: INVOCATION.netns,
    CNI_IFNAME: INVOCATION.ifname,
    CNI_ARGS: INVOCATION.args,
  }
  const child = spawn(process.execPath, [MAIN], { env: { ...sandbox, ...env }, stdio: 'pipe' })
  child.stdin.end(JSON.stringify({ cniVersion: '1.1.0', name: 'terway', daemon_socket: socket, ...config }))
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  child.stdout.on('data', (chunk: Buffer) => output.stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => output.stderr.push(chunk))
  const status = await exitOf(child)
  return { status, stdout: Buffer.concat(output.stdout).toString(), stderr: Buffer.concat(output.stderr).toString() }
}
