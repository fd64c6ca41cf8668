/** A container runtime for one simulated node: Debian's containerd and runc with everything of their own. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PLUGIN } from '../cluster/cni.ts'
import { check, Service, until } from '../cluster/process.ts'
import { Cri } from './cri.ts'
import { PAUSE_IMAGE } from './pause-image.ts'

/** Where Debian puts the reference plugins. containerd 1.6 calls `loopback` for every sandbox. */
const REFERENCE_PLUGINS = '/usr/lib/cni'

export interface ContainerdOptions {
  /** Everything goes below it. */
  readonly directory: string
  /** Path of the network namespace to run in. */
  readonly netns: string
  readonly cniConfDir: string
  /** Made by `makePauseImage`. */
  readonly pauseImage: string
  /** Executables that network configurations name, besides `loopback`; the project's own unless given. */
  readonly plugins?: readonly string[]
}

export class Containerd {
  readonly cri: Cri
  readonly #options: ContainerdOptions
  readonly #socket: string
  #service: Service | undefined

  constructor(options: ContainerdOptions) {
    this.#options = options
    this.#socket = join(options.directory, 'c.sock')
    const bin = join(options.directory, 'bin')
    mkdirSync(bin, { recursive: true })
    for (const plugin of [join(REFERENCE_PLUGINS, 'loopback'), ...(options.plugins ?? [PLUGIN])]) {
      symlinkSync(plugin, join(bin, plugin.slice(plugin.lastIndexOf('/') + 1)))
    }
    writeFileSync(this.#configFile, configuration({ ...options, bin, socket: this.#socket }))
    this.cri = new Cri(this.#socket)
  }

  get #configFile(): string {
    return join(this.#options.directory, 'config.toml')
  }

  get #logFile(): string {
    return join(this.#options.directory, 'containerd.log')
  }

  /** Resolves once it answers, has the pause image and finds a network configuration. */
  async start(): Promise<void> {
    const { netns, pauseImage } = this.#options
    this.#service = new Service({
      name: 'containerd',
      argv: ['nsenter', `--net=${netns}`, 'containerd', '--config', this.#configFile],
      logFile: this.#logFile,
    })
    const ctr = ['ctr', '--address', this.#socket, '--namespace', 'k8s.io']
    await this.#answers(async () => void (await check([...ctr, 'version'])))
    await check([...ctr, 'images', 'import', '--snapshotter', 'native', pauseImage])
    await this.#answers(async () => {
      const problem = await this.cri.networkProblem()
      if (problem !== undefined) throw new Error(problem)
    })
  }

  async #answers(ask: () => Promise<void>): Promise<void> {
    let last: unknown
    const look = async () => {
      this.#service?.failIfEnded()
      try {
        await ask()
        return true
      } catch (error) {
        last = error // it starts; told when it takes too long
        return undefined
      }
    }
    try {
      await until(look, { what: 'containerd', every: 100 })
    } catch (error) {
      throw new Error(`containerd does not become ready (log: ${this.#logFile})`, { cause: last ?? error })
    }
  }

  /** Ends containerd alone; the sandboxes go on under their shims. */
  async kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#service?.stop(signal)
  }

  /** Removes every sandbox, then ends it. */
  async stop(): Promise<void> {
    if (this.#service?.running) {
      for (const { id } of await this.cri.list()) {
        await this.cri.stop(id)
        await this.cri.remove(id)
      }
    }
    this.cri.close()
    await this.kill('SIGTERM')
  }
}

interface Configuration extends ContainerdOptions {
  readonly bin: string
  readonly socket: string
}

/**
 * containerd 1.6. Within a container there is no right to lower an OOM score (restrict_oom_score_adj) nor to load
 * AppArmor profiles; the native snapshotter works on any file system.
 */
function configuration({ directory, bin, socket, cniConfDir }: Configuration): string {
  const disabled = ['btrfs', 'zfs', 'devmapper', 'aufs'].map((name) => `"io.containerd.snapshotter.v1.${name}"`)
  return `version = 2
root = "${join(directory, 'root')}"
state = "${join(directory, 'state')}"
disabled_plugins = [${disabled.join(', ')}, "io.containerd.internal.v1.opt"]

[grpc]
address = "${socket}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${PAUSE_IMAGE}"
disable_apparmor = true
disable_hugetlb_controller = true
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "${bin}"
conf_dir = "${cniConfDir}"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
`
}
