/** Throw-away network namespaces and iproute2 as the independent reader of what is in them. */
import { execFileSync } from 'node:child_process'
import { createNamedNetns, deleteNamedNetns, listNamedNetns, type Netns, openNetns } from '../../netlink/netns.ts'

export class TestNamespaces implements Disposable {
  readonly #prefix: string
  readonly #open: Netns[] = []

  /** Removes what an earlier run with the same prefix left behind. */
  constructor(prefix: string) {
    this.#prefix = prefix
    this.#deleteAll()
  }

  create(label: string): Netns {
    const netns = openNetns(createNamedNetns(this.#prefix + label))
    this.#open.push(netns)
    return netns
  }

  /** Takes a namespace away as a runtime does: its path is gone. */
  delete(label: string): void {
    const name = this.#prefix + label
    for (const netns of this.#open) if (netns.path.endsWith(`/${name}`)) netns.close()
    deleteNamedNetns(name)
  }

  [Symbol.dispose](): void {
    for (const netns of this.#open) netns.close()
    this.#deleteAll()
  }

  #deleteAll(): void {
    for (const name of listNamedNetns(this.#prefix)) deleteNamedNetns(name)
  }
}

/** Runs a program in the namespace; what it prints. Throws with its stderr. */
export function run(netns: Netns, ...command: string[]): string {
  return execFileSync('ip', ['netns', 'exec', nameOf(netns), ...command], { encoding: 'utf8', stdio: 'pipe' })
}

export function ip(netns: Netns, ...args: string[]): string {
  return execFileSync('ip', ['-n', nameOf(netns), ...args], { encoding: 'utf8', stdio: 'pipe' })
}

/** Several commands in one process, since starting one takes long in the guest. */
export function ipBatch(netns: Netns, commands: readonly string[], ...options: string[]): void {
  execFileSync('ip', ['-n', nameOf(netns), ...options, '-batch', '-'], { input: commands.join('\n'), stdio: 'pipe' })
}

/** The objects `ip -j` prints. */
export function ipJson(netns: Netns, ...args: string[]): Record<string, unknown>[] {
  const text = execFileSync('ip', ['-n', nameOf(netns), '-j', '-d', ...args], { encoding: 'utf8', stdio: 'pipe' })
  return text.trim() === '' ? [] : JSON.parse(text)
}

function nameOf(netns: Netns): string {
  return netns.path.slice(netns.path.lastIndexOf('/') + 1)
}
