/** The packed plugin, with a fresh socket path and spool directory for each case. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jest } from '@jest/globals'
import { buildPlugin } from '../../hack/build.ts'
import { type PluginExit, runPlugin } from './run-plugin.ts'
import { type Script, type ScriptedDaemon, startScriptedDaemon } from './scripted-daemon.ts'

// Packing takes seconds, on a busy machine more than a hook may.
jest.setTimeout(60_000)

/** What a runtime sets for a sandbox. The namespace does not exist: whether that matters is the daemon's to say. */
export const SANDBOX_ENV = {
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/run/netns/tw-plugin-none',
  CNI_IFNAME: 'eth0',
  CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAME=web-0;K8S_POD_NAMESPACE=default',
  CNI_PATH: '/opt/cni/bin',
}

export const CNI_VERSIONS = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0']

export class PluginFixture {
  readonly root: string
  readonly plugin: string
  socket = ''
  spool = ''
  #daemons: ScriptedDaemon[] = []

  private constructor(root: string, plugin: string) {
    this.root = root
    this.plugin = plugin
  }

  /** Packs the plugin unless it is up to date. */
  static async build(): Promise<PluginFixture> {
    const plugin = await buildPlugin()
    return new PluginFixture(mkdtempSync(join(tmpdir(), 'tw-plugin-')), plugin)
  }

  beginCase(): void {
    const own = mkdtempSync(join(this.root, 'case-'))
    this.socket = join(own, 's')
    this.spool = join(own, 'run', 'spool')
  }

  endCase(): void {
    for (const daemon of this.#daemons.splice(0)) daemon.stop()
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }

  config(change: object = {}): string {
    const base = { name: 'terway', type: 'terway', daemon_socket: this.socket, spool_dir: this.spool }
    return JSON.stringify({ cniVersion: '1.1.0', ...base, ...change })
  }

  async daemon(script: Script): Promise<ScriptedDaemon> {
    const daemon = await startScriptedDaemon(this.socket, script)
    this.#daemons.push(daemon)
    return daemon
  }

  run(verb: string, { env = {}, stdin }: { env?: object; stdin?: string | Uint8Array } = {}): Promise<PluginExit> {
    return runPlugin({
      plugin: this.plugin,
      env: { ...SANDBOX_ENV, CNI_COMMAND: verb, ...env },
      stdin: stdin ?? this.config(),
    })
  }
}

/** The error that a run has printed. @throws Error when the run did not end as the specification wants of an error. */
export function printedError({ status, stdout }: PluginExit): {
  readonly cniVersion: string
  readonly code: number
  readonly msg: string
  readonly details: string
} {
  if (status !== 1) throw new Error(`the plugin ended with ${status} and printed ${JSON.stringify(stdout)}`)
  return JSON.parse(stdout)
}
