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
  /** `container/ifname` → phase and address. */
  readonly endpoints: ReadonlyMap<string, { readonly phase: string; readonly ip: string }>
  readonly assigns: number
}

export interface KernelView {
  /** Links of the node by name. */
  readonly links: readonly { readonly name: string; readonly mac: string; readonly up: boolean }[]
  /** Addresses in rules of the two priorities, `512 to 10.0.1.7` and `2048 from 10.0.1.7`. */
  readonly podRules: readonly string[]
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
        records('endpoints').map(({ containerId, ifname, phase = '', ip = '' }) => [
          `${containerId}/${ifname}`,
          { phase, ip },
        ]),
      ),
      assigns: records('assigns').length,
    }
  } finally {
    db.close()
  }
}

const LINKS = z.array(z.object({ ifname: z.string(), address: z.string().optional(), flags: z.array(z.string()) }))
const RULES = z.array(z.object({ priority: z.int(), src: z.string().optional(), dst: z.string().optional() }))
const ROUTES = z.array(z.object({ dst: z.string(), dev: z.string().optional() }))

function readKernel(netns: string): KernelView {
  const ip = (...args: string[]): unknown =>
    JSON.parse(execFileSync('ip', ['-j', '-n', netns, '-4', ...args], { encoding: 'utf8' }) || '[]')
  const links = LINKS.parse(ip('link', 'show'))
  const rules = RULES.parse(ip('rule', 'show'))
  const routes = ROUTES.parse(ip('route', 'show', 'table', 'main'))
  return {
    links: links.map(({ ifname, address = '', flags }) => ({ name: ifname, mac: address, up: flags.includes('UP') })),
    podRules: rules.flatMap(({ priority, src, dst }) => {
      if (priority === 512) return [`512 to ${dst}`]
      return priority === 2048 ? [`2048 from ${src}`] : []
    }),
    podRoutes: routes.flatMap(({ dst, dev = '' }) => (/^cali[0-9a-f]{11}$/.test(dev) ? [{ ip: dst, link: dev }] : [])),
  }
}
