/**
 * The demo itself, from nothing to nothing. Every number it prints is measured by tools that share nothing with the
 * project: ping(8) and ip(8).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster } from '../../test/cluster/cluster.ts'
import { compareStates, type KernelState, kernelState } from '../../test/cluster/kernel-state.ts'
import { leftovers } from '../../test/cluster/leftovers.ts'
import type { Node } from '../../test/cluster/node.ts'
import { disown } from '../../test/cluster/owner.ts'
import { type PingResult, ping } from '../../test/cluster/ping.ts'
import type { Pod } from '../../test/cluster/pod.ts'
import { CommandError, check, until } from '../../test/cluster/process.ts'
import { DEMO_PREFIX } from './prefix.ts'
import { Printer } from './print.ts'

const PODS_PER_NODE = 2
const PINGS = 50
/** The default is 30 s; a demo must not take that long to show addresses back in the pool. */
const COOLDOWN_SECONDS = 3
/** Links are removed in batches after DEL has answered, ms. */
const SETTLE = 10_000

const printer = new Printer()

interface Counts {
  lost: number
  leaked: number
}

/** One way a packet can go. */
interface Way {
  readonly what: string
  readonly from: { readonly name: string; readonly netnsPath: string }
  readonly to: { readonly name: string; readonly ip: string }
}

interface NodeBefore {
  readonly node: Node
  readonly kernel: KernelState
}

async function startPods(cluster: Cluster): Promise<Pod[]> {
  printer.step('Four pods, two a node: the terway plugin is executed as a container runtime does it')
  const pods: Pod[] = []
  const rows: string[][] = []
  for (const node of cluster.nodes) {
    for (let i = 1; i <= PODS_PER_NODE; i += 1) {
      const pod = await cluster.createPod(node, `web-${pods.length + 1}`)
      const { took } = await pod.add()
      const endpoint = (await node.show()).endpoints.find(({ containerId }) => containerId === pod.containerId)
      const place = [endpoint?.eniId ?? '?', endpoint?.hostLink ?? '?']
      rows.push([pod.name, node.name, pod.ip, ...place, `${took.toFixed(0)} ms`])
      pods.push(pod)
    }
  }
  printer.table(['pod', 'node', 'address', 'ENI', 'link on the node', 'ADD took'], rows)
  return pods
}

function ways(cluster: Cluster, pods: readonly Pod[]): Way[] {
  const host = (node: Node) => ({ name: node.name, netnsPath: node.netnsPath, ip: node.primaryIp })
  const onNode = (pod: Pod, node: Node) => pod.node === node
  const pairs = pods.flatMap((from) => pods.filter((to) => to !== from).map((to) => ({ from, to })))
  const placed = cluster.nodes.flatMap((node) => pods.map((pod) => ({ node, pod })))
  const [sameNode, across] = split(pairs, ({ from, to }) => onNode(from, to.node))
  const [own, foreign] = split(placed, ({ node, pod }) => onNode(pod, node))
  return [
    ...sameNode.map((ends) => ({ what: 'pod → pod, same node', ...ends })),
    ...across.map((ends) => ({ what: 'pod → pod, through the VPC', ...ends })),
    ...own.map(({ node, pod }) => ({ what: 'pod → its own node', from: pod, to: host(node) })),
    ...foreign.map(({ node, pod }) => ({ what: 'pod → the other node', from: pod, to: host(node) })),
    ...own.map(({ node, pod }) => ({ what: 'node → its own pod', from: host(node), to: pod })),
    ...foreign.map(({ node, pod }) => ({ what: 'node → pod of the other node', from: host(node), to: pod })),
  ]
}

function split<Item>(items: readonly Item[], belongs: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))]
}

/** Returns how many packets got lost. */
async function measureWays(all: readonly Way[]): Promise<number> {
  printer.step(`Every way between them: ${PINGS} pings each, sent from inside the sender's network namespace`)
  const results: { way: Way; result: PingResult }[] = []
  for (const way of all) {
    results.push({ way, result: await ping({ from: way.from.netnsPath, to: way.to.ip, count: PINGS, interval: 2 }) })
  }
  const rows = results.map(({ way, result: { sent, received, rtt } }) => [
    way.what,
    `${way.from.name} → ${way.to.name} (${way.to.ip})`,
    `${received}/${sent}`,
    rtt === undefined ? '-' : `${rtt.toFixed(3)} ms`,
  ])
  printer.table(['way', 'from → to', 'replies', 'mean round trip'], rows)
  const sent = results.reduce((sum, { result }) => sum + result.sent, 0)
  const lost = results.reduce((sum, { result }) => sum + result.lost, 0)
  printer.verdict(lost === 0, `${sent} sent, ${lost} lost`)
  return lost
}

async function showNodes(cluster: Cluster): Promise<void> {
  printer.step('What an operator sees on each node')
  for (const node of cluster.nodes) {
    for (const form of ['box', 'tree']) {
      const argv = ['dist/terway-cli', 'show', '--socket', node.socket, '-o', form]
      printer.transcript(`${argv.join(' ')}   # ${node.name}`, await check(argv))
    }
  }
}

/** Deletes the pods as a runtime does and returns how many things they left, each named. */
async function deletePods(pods: readonly Pod[], before: readonly NodeBefore[]): Promise<number> {
  printer.step('The pods are deleted; each node is compared with what it was before the first pod')
  let leaked = 0
  for (const pod of pods) {
    const { took } = await pod.del()
    const inside = (await kernelState(pod.netnsPath)).links.filter((link) => !link.startsWith('lo '))
    // A kernel may put tunnel ends into every new namespace; those of a pod are veths called eth….
    const left = inside.filter((link) => link.startsWith('eth'))
    leaked += left.length
    const rest = left.length === 0 ? 'nothing left in its namespace' : `left in its namespace: ${left.join(', ')}`
    printer.verdict(left.length === 0, `${pod.name}: DEL took ${took.toFixed(0)} ms, ${rest}`)
    await pod.destroy()
  }
  printer.progress(`waiting until its addresses may be used again (cool-down ${COOLDOWN_SECONDS} s; 30 s by default)`)
  for (const each of before) leaked += await compareNode(each)
  return leaked
}

async function compareNode({ node, kernel }: NodeBefore): Promise<number> {
  const differences = await settled(async () => compareStates(kernel, await kernelState(node.netnsPath)))
  for (const { object, appeared, disappeared } of differences) {
    for (const line of appeared) printer.verdict(false, `${node.name}: ${object}: left behind: ${line}`)
    for (const line of disappeared) printer.verdict(false, `${node.name}: ${object}: missing: ${line}`)
  }
  const counts = (['links', 'addresses', 'routes', 'rules', 'neighbours'] as const).map(
    (object) => `${kernel[object].length} ${object}`,
  )
  if (differences.length === 0) printer.verdict(true, `${node.name}: the same ${counts.join(', ')} as before`)
  const held = await settled(() => heldRecords(node))
  for (const record of held) printer.verdict(false, `${node.name}: ${record}`)
  const { pool } = await node.show()
  const free = `${pool?.available} of the pool's ${pool?.total} addresses free`
  if (held.length === 0) printer.verdict(true, `${node.name}: no record of a pod, ${free}`)
  return differences.reduce((sum, each) => sum + each.appeared.length + each.disappeared.length, 0) + held.length
}

/** Pods and addresses that the daemon still holds. */
async function heldRecords(node: Node): Promise<string[]> {
  const { endpoints, enis } = await node.show()
  const busy = enis
    .flatMap(({ addresses }) => addresses)
    .filter(({ phase }) => phase === 'owned' || phase === 'cooling')
  return [
    ...endpoints.map(({ namespace, pod, phase }) => `record of pod ${namespace}/${pod}: ${phase}`),
    ...busy.map(({ ip, phase }) => `address ${ip}: ${phase}`),
  ]
}

/** Looks until there is nothing to see or the time is up; what the last look saw. */
async function settled<Seen>(look: () => Promise<Seen[]>): Promise<Seen[]> {
  const deadline = performance.now() + SETTLE
  for (;;) {
    const seen = await look()
    if (seen.length === 0 || performance.now() > deadline) return seen
    await sleep(50)
  }
}

/** The links of this machine itself; the rest of its network lives a life of its own. */
async function machineLinks(): Promise<string[]> {
  return (await check(['ip', '-o', 'link', 'show'])).split('\n').map((line) => line.split(':')[1]?.trim() ?? '')
}

/** Stops everything and returns how many things are left on the machine, each named. */
async function stop(cluster: Cluster, linksBefore: readonly string[]): Promise<number> {
  printer.step('Everything that was started is stopped')
  await cluster.stop()
  const links = (await machineLinks()).filter((link) => !linksBefore.includes(link))
  const left = [...leftovers(DEMO_PREFIX), ...links.map((link) => `link ${link}`)]
  for (const thing of left) printer.verdict(false, `still there: ${thing}`)
  if (left.length === 0) printer.verdict(true, 'no process, namespace, link, mount or file of the demo is left')
  return left.length
}

function tellHowToLook(cluster: Cluster, pods: readonly Pod[]): void {
  const [node] = cluster.nodes
  const [pod, other] = [pods.at(0), pods.at(-1)]
  if (node === undefined || pod === undefined || other === undefined) throw new RangeError('a region without nodes')
  printer.step('It keeps running; look inside')
  printer.table(
    ['command', 'shows'],
    [
      [`ip netns exec ${pod.netns} ping ${other.ip}`, `${pod.name} reaches ${other.name}`],
      [`ip -n ${pod.netns} route`, `the routes of ${pod.name}`],
      [`ip -n ${node.netns} rule`, `the rules of ${node.name}`],
      [`dist/terway-cli show --socket ${node.socket}`, 'ENIs, addresses and pods'],
      [`dist/terway-cli verify --socket ${node.socket}`, 'the kernel compared with the plans'],
      [`curl -s ${cluster.simApi}/state`, 'what the cloud thinks'],
      [`tail ${node.logFile}`, `the log of terwayd on ${node.name}`],
      ['make demo-clean', 'ends it and removes everything'],
    ],
  )
}

async function walk(keep: boolean): Promise<number> {
  const counts: Counts = { lost: 0, leaked: 0 }
  const machine = await machineLinks()
  printer.step('A region on this machine: one VPC, two vSwitches in two zones, two nodes')
  const cluster = await Cluster.start({
    prefix: DEMO_PREFIX,
    outlive: keep,
    eniConf: { ip_cooldown_seconds: COOLDOWN_SECONDS },
    onProgress: (doing) => printer.progress(doing),
  })
  await Promise.all(cluster.nodes.map(poolFull))
  await describeNodes(cluster)
  const before = await Promise.all(
    cluster.nodes.map(async (node) => ({ node, kernel: await kernelState(node.netnsPath) })),
  )
  const pods = await startPods(cluster)
  counts.lost = await measureWays(ways(cluster, pods))
  await showNodes(cluster)
  const seconds = () => (performance.now() / 1000).toFixed(1)
  if (keep) {
    tellHowToLook(cluster, pods)
    disown(DEMO_PREFIX)
    console.log(`\ndemo: running pods=${pods.length} lost=${counts.lost} seconds=${seconds()}`)
    return 0
  }
  counts.leaked = await deletePods(pods, before)
  counts.leaked += await stop(cluster, machine)
  const good = counts.lost === 0 && counts.leaked === 0
  const numbers = `pods=${pods.length} lost=${counts.lost} leaked=${counts.leaked} seconds=${seconds()}`
  console.log(`\ndemo: ${good ? 'ok' : 'FAILED'} ${numbers}`)
  return good ? 0 : 1
}

/** The pool fills itself when the daemon starts; before that is over, the node still changes by itself. */
async function poolFull(node: Node): Promise<void> {
  const look = async () => {
    const { pool } = await node.show()
    return pool !== null && pool.available >= pool.min ? true : undefined
  }
  await until(look, { what: `the pool of ${node.name} to fill`, every: 50 })
}

async function describeNodes(cluster: Cluster): Promise<void> {
  const rows = await Promise.all(
    cluster.nodes.map(async (node) => {
      const { zoneId, instanceType, pool, enis } = await node.show()
      return [node.name, zoneId, instanceType, node.primaryIp, String(enis.length), String(pool?.available)]
    }),
  )
  printer.table(['node', 'zone', 'instance type', 'address', 'ENIs for pods', 'addresses ready'], rows)
}

try {
  process.exitCode = await walk(process.argv.includes('--keep'))
} catch (error) {
  console.error(error instanceof CommandError ? `\n${error.message}` : error)
  console.log(`\ndemo: FAILED before its end; logs, if there are any: .cache/logs/${DEMO_PREFIX}/`)
  process.exitCode = 1
}
