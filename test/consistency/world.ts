/** The four views of the same thing that must agree: journal, pool, cloud, kernel. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { InspectClient } from '../../proto/generated/terway/inspect/v1/Inspect.ts'
import type { Node__Output } from '../../proto/generated/terway/inspect/v1/Node.ts'
import type { VerifyReply__Output } from '../../proto/generated/terway/inspect/v1/VerifyReply.ts'

/** What is needed of a cluster; test/cluster has it. */
export interface ObservedCluster {
  /** URL of the simulator's control endpoints. */
  readonly simApi: string
  readonly nodes: readonly ObservedNode[]
}

export interface ObservedNode {
  readonly name: string
  /** Name of the network namespace, as `ip netns` knows it. */
  readonly netns: string
  readonly instanceId: string
  readonly stateDir: string
  inspect(): InspectClient
}

export interface CloudEni {
  readonly id: string
  readonly mac: string
  readonly type: string
  readonly status: string
  readonly instanceId?: string | undefined
  /** Of both families, the primary first; without those of prefixes. */
  readonly addresses: readonly string[]
  readonly prefixes: readonly string[]
  readonly tags: Readonly<Record<string, string>>
}

export interface JournalView {
  /** Address → phase. */
  readonly addresses: ReadonlyMap<string, string>
  readonly prefixes: ReadonlySet<string>
  /** ENI id, or key while it is being created → phase. */
  readonly enis: ReadonlyMap<string, string>
  /** `container/ifname` → phase and addresses. */
  readonly endpoints: ReadonlyMap<string, { readonly phase: string; readonly ips: readonly string[] }>
  readonly assigns: number
}

export interface KernelView {
  /** Links of the node by name. */
  readonly links: readonly { readonly name: string; readonly mac: string; readonly up: boolean }[]
  /** Those of the two priorities that are about one address, `512 to 10.0.1.7` and `2048 from 10.0.1.7`. */
  readonly podRules: readonly string[]
  /** Those that are about none: `ipv4 512`, `ipv4 2048 mark 0x100000 to table 1007`. */
  readonly sharedRules: readonly string[]
  /** Addresses whose packets are marked. */
  readonly marked: readonly string[]
  /** Host routes over pods' links: address → link. */
  readonly podRoutes: readonly { readonly ip: string; readonly link: string }[]
}

export interface NodeWorld {
  readonly name: string
  readonly instanceId: string
  readonly pool: Node__Output
  readonly journal: JournalView
  readonly kernel: KernelView
  readonly verified: VerifyReply__Output
}

export interface World {
  readonly nodes: readonly NodeWorld[]
  readonly cloud: readonly CloudEni[]
}

export async function observe(cluster: ObservedCluster): Promise<World> {
  const nodes = await Promise.all(cluster.nodes.map(observeNode))
  return { nodes, cloud: await observeCloud(cluster.simApi) }
}

const STATE = z.object({
  enis: z.array(
    z.object({
      id: z.string(),
      mac: z.string(),
      type: z.string(),
      status: z.string(),
      instanceId: z.string().nullish(),
      ips: z.array(z.string()),
      ipv6s: z.array(z.string()),
      ipv4Prefixes: z.array(z.string()),
      ipv6Prefixes: z.array(z.string()),
      tags: z.record(z.string(), z.string()),
    }),
  ),
})

async function observeCloud(simApi: string): Promise<CloudEni[]> {
  const answer = await fetch(`${simApi}/state`)
  const { enis } = STATE.parse(await answer.json())
  return enis.map(({ instanceId, ips, ipv6s, ipv4Prefixes, ipv6Prefixes, ...eni }) => ({
    ...eni,
    addresses: [...ips, ...ipv6s],
    prefixes: [...ipv4Prefixes, ...ipv6Prefixes],
    instanceId: instanceId ?? undefined,
  }))
}

const DEADLINE = 10_000

async function observeNode(node: ObservedNode): Promise<NodeWorld> {
  const client = node.inspect()
  const options = () => ({ deadline: Date.now() + DEADLINE })
  const pool = await new Promise<Node__Output>((resolve, reject) => {
    client.Show({}, options(), (error, reply) => (reply === undefined ? reject(error) : resolve(reply)))
  })
  const verified = await new Promise<VerifyReply__Output>((resolve, reject) => {
    client.Verify({}, options(), (error, reply) => (reply === undefined ? reject(error) : resolve(reply)))
  })
  const journal = readJournal(node.stateDir)
  const kernel = readKernel(node.netns)
  return { name: node.name, instanceId: node.instanceId, pool, verified, journal, kernel }
}

const RECORD = z.looseObject({
  phase: z.string().optional(),
  id: z.string().optional(),
  key: z.string().optional(),
  ip: z.string().optional(),
  ip6: z.string().optional(),
  cidr: z.string().optional(),
  containerId: z.string().optional(),
  ifname: z.string().optional(),
})

/** Read from the file itself, past the daemon. */
function readJournal(stateDir: string): JournalView {
  const db = new DatabaseSync(join(stateDir, 'journal.db'), { readOnly: true })
  try {
    const records = (table: string) =>
      db
        .prepare(`SELECT record FROM ${table}`)
        .all()
        .map((row) => RECORD.parse(JSON.parse(String(row.record))))
    return {
      addresses: new Map(records('addresses').map(({ ip = '', phase = '' }) => [ip, phase])),
      prefixes: new Set(records('prefixes').map(({ cidr = '' }) => cidr)),
      enis: new Map(records('enis').map(({ id, key = '', phase = '' }) => [id ?? key, phase])),
      endpoints: new Map(
        records('endpoints').map(({ containerId, ifname, phase = '', ip, ip6 }) => [
          `${containerId}/${ifname}`,
          { phase, ips: [ip, ip6].filter((one) => one !== undefined) },
        ]),
      ),
      assigns: records('assigns').length,
    }
  } finally {
    db.close()
  }
}

const LINKS = z.array(z.object({ ifname: z.string(), address: z.string().optional(), flags: z.array(z.string()) }))
const RULES = z.array(
  z.object({
    priority: z.int(),
    src: z.string(),
    dst: z.string().optional(),
    fwmark: z.string().optional(),
    table: z.string(),
  }),
)
const ROUTES = z.array(
  z.object({
    ...{ dst: z.string(), dev: z.string().optional(), protocol: z.string().optional() },
    // Of the main table none is said.
    table: z.string().default('main'),
  }),
)
/** Of nft: an element of a map is a pair. */
const ELEMENTS = z.object({
  nftables: z.array(
    z.looseObject({ map: z.object({ elem: z.array(z.tuple([z.string(), z.unknown()])).optional() }).optional() }),
  ),
})
/** By which pods are found: see daemon/datapath. */
const PODS_IN = ['main', '1000']
const FAMILIES = ['ipv4', 'ipv6'] as const

function readKernel(netns: string): KernelView {
  const ip = (...args: string[]): unknown => JSON.parse(output('ip', '-j', '-n', netns, ...args) || '[]')
  const links = LINKS.parse(ip('link', 'show'))
  const rules = FAMILIES.flatMap((family) => {
    return RULES.parse(ip(optionOf(family), 'rule', 'show')).map((rule) => ({ ...rule, family }))
  })
  const routes = FAMILIES.flatMap((family) =>
    // A table without routes is an error for iproute2.
    ROUTES.parse(ip(optionOf(family), 'route', 'show', 'table', 'all')).filter(({ table }) => PODS_IN.includes(table)),
  )
  const ours = rules.filter(({ priority }) => priority === 512 || priority === 2048)
  return {
    links: links.map(({ ifname, address = '', flags }) => ({ name: ifname, mac: address, up: flags.includes('UP') })),
    podRules: ours.flatMap(({ priority, src, dst }) => {
      if (dst !== undefined) return [`${priority} to ${dst}`]
      return src === 'all' ? [] : [`${priority} from ${src}`]
    }),
    sharedRules: ours.flatMap(({ family, priority, src, dst, fwmark, table }) => {
      if (dst !== undefined || src !== 'all') return []
      return [`${family} ${priority}${fwmark === undefined ? '' : ` mark ${fwmark}`} to table ${table}`]
    }),
    marked: readMarked(netns),
    // A link with IPv6 has a route of the kernel's, to its own prefix.
    podRoutes: routes.flatMap(({ dst, dev = '', protocol }) => {
      return protocol !== 'kernel' && /^cali[0-9a-f]{11}$/.test(dev) ? [{ ip: dst, link: dev }] : []
    }),
  }
}

function optionOf(family: (typeof FAMILIES)[number]): string {
  return family === 'ipv4' ? '-4' : '-6'
}

/** Without pods there is no table of marks. */
function readMarked(netns: string): string[] {
  const tables = output('ip', 'netns', 'exec', netns, 'nft', 'list', 'tables')
  if (!tables.includes('inet terway_routing')) return []
  const answer = output('ip', 'netns', 'exec', netns, 'nft', '-j', 'list', 'table', 'inet', 'terway_routing')
  const { nftables } = ELEMENTS.parse(JSON.parse(answer))
  return nftables.flatMap(({ map }) => (map?.elem ?? []).map(([source]) => source))
}

function output(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8' })
}
