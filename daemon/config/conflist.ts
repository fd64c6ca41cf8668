/** The conflist that tells the container runtime to use Terway: written last, when the daemon can serve. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_SOCKET, DEFAULT_SPOOL_DIRECTORY } from '../../proto/paths.ts'
import { POD_ANNOTATIONS } from '../cni/runtime-config.ts'
import type { CniBinary } from './cni-binary.ts'
import { type ChainedPlugin, type CniTemplate, NO_TEMPLATE, PLUGIN_TYPE } from './cni-template.ts'

export const CONFLIST_NAME = '10-terway.conflist'
/** libcni names its cached results after it, and GC asks by it: another name would orphan all running pods. */
export const NETWORK_NAME = 'terway'

export interface ConflistOptions {
  /** Left out of the file when they are the plugin's defaults. */
  readonly socket: string
  readonly spoolDirectory: string
  /** The operator's. */
  readonly template?: CniTemplate
  /** A plugin of the runtime's directory. */
  readonly findBinary: (type: string) => CniBinary | undefined
}

export interface Conflist {
  readonly content: string
  readonly warnings: readonly string[]
}

/** What every runtime of Kubernetes knows; others leave out what they do not know. */
const CAPABILITIES = { bandwidth: true, [POD_ANNOTATIONS]: true }

/**
 * Gives pods their hostPorts. The node's marks bring replies of redirected connections back the way they came; with
 * rules, or a pod that has the ENI or a part of it, replies leave by the ENI, where the node's address would be a wrong
 * source. So all that is forwarded is made to come from the node and goes back there (`masqAll`, known to its release
 * 1.2).
 */
const PORTMAP: ChainedPlugin = { type: 'portmap', capabilities: { portMappings: true }, snat: true, masqAll: true }

/**
 * `cniVersion` stays at 1.0.0 because containerd 1.6 and 1.7 fail on 1.1.0; newer runtimes take 1.1.0 from
 * `cniVersions` and then also call STATUS and GC. All plugins are called in the same version, so 1.1.0 is left out when
 * another one does not speak it.
 */
export function conflist({ template = NO_TEMPLATE, findBinary, ...paths }: ConflistOptions): Conflist {
  const chained = withPortmap(template.chained, findBinary)
  const binaries = chained.map(({ type }) => ({ type, binary: findBinary(type) }))
  const newest = binaries.every(({ binary }) => binary?.speaksNewest)
  const list = {
    cniVersion: '1.0.0',
    cniVersions: newest ? ['0.4.0', '1.0.0', '1.1.0'] : ['0.4.0', '1.0.0'],
    name: NETWORK_NAME,
    ...template.list,
    plugins: [ownEntry(template.plugin, paths), ...chained],
  }
  const missing = binaries.flatMap(({ type, binary }) => (binary === undefined ? missingPlugin(type) : []))
  const hostPorts = chained.some(({ type }) => type === PORTMAP.type) ? [] : [NO_HOST_PORTS]
  return { content: `${JSON.stringify(list, null, 2)}\n`, warnings: [...missing, ...hostPorts] }
}

const NO_HOST_PORTS =
  'no CNI plugin "portmap" in --cni-bin-dir: hostPort of pods has no effect; install the reference plugins and start again'

function missingPlugin(type: string): string {
  return `the CNI configuration names the plugin "${type}", which is not in --cni-bin-dir: no pod will start without it`
}

/** Where the daemon is, the daemon knows, whatever the operator's keys say. */
function ownEntry(plugin: CniTemplate['plugin'], { socket, spoolDirectory }: OwnPaths): object {
  const { capabilities, daemon_socket, spool_dir, ...keys } = plugin
  return {
    type: PLUGIN_TYPE,
    ...keys,
    capabilities: { ...CAPABILITIES, ...Object(capabilities) },
    ...(socket === DEFAULT_SOCKET ? {} : { daemon_socket: socket }),
    ...(spoolDirectory === DEFAULT_SPOOL_DIRECTORY ? {} : { spool_dir: spoolDirectory }),
  }
}

type OwnPaths = Pick<ConflistOptions, 'socket' | 'spoolDirectory'>

/** The operator's own entry, wherever it is in the chain, goes before ours. */
function withPortmap(
  chained: readonly ChainedPlugin[],
  findBinary: ConflistOptions['findBinary'],
): readonly ChainedPlugin[] {
  const isThere = chained.some(({ type }) => type === PORTMAP.type)
  return isThere || findBinary(PORTMAP.type) === undefined ? chained : [...chained, PORTMAP]
}

/**
 * Writes only when the bytes change, by rename within the directory: runtimes reload on every change, block all calls
 * meanwhile, and do not notice a file moved in from elsewhere. It is never deleted, or pods could not be stopped.
 * @returns whether it was written.
 */
export function writeConflist(directory: string, content: string): boolean {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, CONFLIST_NAME)
  if (read(path) === content) return false
  // The name ends in neither .conf, .conflist nor .json, so no runtime reads the unfinished file.
  const unfinished = join(directory, `.${CONFLIST_NAME}.new`)
  writeFileSync(unfinished, content, { mode: 0o644 })
  renameSync(unfinished, path)
  return true
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // absent or unreadable: it is written anew
  }
}
