/** What is wrong with a world: a sentence for each invariant (architecture, section 5) that it breaks. Pure. */
import { cidrContains, parseCidr, parseIp } from '../../inet/address.ts'
import type { CloudEni, NodeWorld, World } from './world.ts'

const POD_LINK = /^cali[0-9a-f]{11}$/

/** True while something is under way that ends by itself, so that the views may differ for a moment. */
export function isSettling({ nodes, cloud }: World): boolean {
  const underWay = nodes.some(
    ({ journal, pool }) =>
      journal.assigns > 0 ||
      [...journal.enis.values()].some((phase) => phase !== 'in-use') ||
      [...journal.addresses.values()].includes('unassigning') ||
      [...journal.endpoints.values()].some(({ phase }) => phase !== 'ready') ||
      pool.pool?.waiting !== 0,
  )
  return underWay || cloud.some(({ status }) => ['Attaching', 'Detaching', 'Deleting'].includes(status))
}

export function violations(world: World): string[] {
  return [...sharedAddresses(world), ...world.nodes.flatMap((node) => nodeViolations(node, world.cloud))]
}

/** I1, across nodes: an address belongs to at most one pod. */
function sharedAddresses({ nodes }: World): string[] {
  const holders = new Map<string, string[]>()
  for (const { name, journal } of nodes) {
    for (const [endpoint, { ips }] of journal.endpoints) {
      for (const ip of ips) holders.set(ip, [...(holders.get(ip) ?? []), `${endpoint} on ${name}`])
    }
  }
  return [...holders].flatMap(([ip, pods]) => (pods.length > 1 ? [`I1: ${ip} belongs to ${pods.join(' and ')}`] : []))
}

function nodeViolations(node: NodeWorld, cloud: readonly CloudEni[]): string[] {
  const found = [
    ...journalAgainstPool(node),
    ...addressesAgainstEndpoints(node),
    ...poolAgainstCloud(node, cloud),
    ...cloudAgainstJournal(node, cloud),
    ...kernelAgainstJournal(node),
    ...eniLinks(node),
    ...node.verified.differences.map(
      (d) => `I7: ${d.owner}: ${d.object} ${d.subject} in ${d.netns} is ${d.problem} ${d.found}`,
    ),
  ]
  return found.map((text) => `${node.name}: ${text}`)
}

/** The journal is what the daemon believes. */
function journalAgainstPool({ journal, pool }: NodeWorld): string[] {
  const shown = new Map(
    pool.enis.flatMap((eni) => eni.addresses.map((address) => [address.ip, address.phase] as const)),
  )
  const endpoints = new Map(pool.endpoints.map((e) => [`${e.containerId}/${e.ifname}`, e.phase] as const))
  const recorded = new Map([...journal.endpoints].map(([key, { phase }]) => [key, phase] as const))
  return [...mapDifferences('address', journal.addresses, shown), ...mapDifferences('endpoint', recorded, endpoints)]
}

function mapDifferences(
  what: string,
  journal: ReadonlyMap<string, string>,
  pool: ReadonlyMap<string, string>,
): string[] {
  const keys = new Set([...journal.keys(), ...pool.keys()])
  return [...keys].flatMap((key) => {
    const [a = 'absent', b = 'absent'] = [journal.get(key), pool.get(key)]
    return a === b ? [] : [`journal ≠ pool: ${what} ${key} is ${a} in the journal and ${b} in the daemon`]
  })
}

/** Each address that is held has one endpoint that holds it, and the other way round. */
function addressesAgainstEndpoints({ journal }: NodeWorld): string[] {
  const owned = new Set([...journal.addresses].flatMap(([ip, phase]) => (phase === 'owned' ? [ip] : [])))
  const held = new Map([...journal.endpoints].flatMap(([key, { ips }]) => ips.map((ip) => [ip, key] as const)))
  return [
    ...[...owned].filter((ip) => !held.has(ip)).map((ip) => `${ip} is given away although no pod has it`),
    ...[...held]
      .filter(([ip]) => !owned.has(ip))
      .map(([ip, key]) => `I1: ${key} has ${ip}, which the pool thinks free`),
  ]
}

/** I2: what the pool may give to a pod is assigned to an ENI attached to this node. */
function poolAgainstCloud({ pool, instanceId }: NodeWorld, cloud: readonly CloudEni[]): string[] {
  return pool.enis.flatMap(({ id, addresses }) => {
    const eni = cloud.find((candidate) => candidate.id === id)
    if (eni === undefined || eni.status !== 'InUse' || eni.instanceId !== instanceId) {
      return [`I2: ${id || 'an ENI without id'} is in the pool and ${eni?.status ?? 'absent'} in the cloud`]
    }
    return addresses.filter(({ ip }) => !isAssigned(eni, ip)).map(({ ip }) => `I2: ${ip} is not assigned to ${id}`)
  })
}

function isAssigned({ addresses, prefixes }: CloudEni, ip: string): boolean {
  return addresses.includes(ip) || prefixes.some((prefix) => cidrContains(parseCidr(prefix), parseIp(ip)))
}

/** I4: nothing of ours in the cloud is unknown here. */
function cloudAgainstJournal({ journal, instanceId }: NodeWorld, cloud: readonly CloudEni[]): string[] {
  const ours = cloud.filter(
    (eni) => eni.tags.creator === 'terway' && (eni.tags['terway.node'] === instanceId || eni.instanceId === instanceId),
  )
  return ours.flatMap(({ id, addresses, prefixes }) => {
    if (!journal.enis.has(id)) return [`I4: ${id} is in the cloud and not in the journal: leaked`]
    const unknown = [
      ...addresses.filter((ip) => !journal.addresses.has(ip)),
      ...prefixes.filter((prefix) => !journal.prefixes.has(prefix)),
    ]
    return unknown.map((what) => `I4: ${what} of ${id} is not in the journal: leaked`)
  })
}

/** I6: what the kernel holds for a pod belongs to a pod on record. */
function kernelAgainstJournal({ kernel, journal, pool }: NodeWorld): string[] {
  const ips = new Set([...journal.endpoints.values()].flatMap((endpoint) => endpoint.ips))
  const links = new Set(pool.endpoints.map(({ hostLink }) => hostLink))
  const count = new Map<string, number>()
  for (const rule of [...kernel.podRules, ...kernel.sharedRules]) count.set(rule, (count.get(rule) ?? 0) + 1)
  return [
    ...kernel.links
      .filter(({ name }) => POD_LINK.test(name) && !links.has(name))
      .map(({ name }) => `I6: link ${name} belongs to no pod`),
    ...kernel.podRules
      .filter((rule) => !ips.has(rule.split(' ')[2] ?? ''))
      .map((rule) => `I6: rule ${rule} belongs to no pod`),
    ...kernel.podRoutes
      .filter(({ ip }) => !ips.has(ip))
      .map(({ ip, link }) => `I6: route ${ip} dev ${link} belongs to no pod`),
    ...kernel.marked.filter((ip) => !ips.has(ip)).map((ip) => `I6: mark of ${ip} belongs to no pod`),
    ...[...count].filter(([, times]) => times > 1).map(([rule, times]) => `rule ${rule} is there ${times} times`),
  ]
}

/** An ENI in use has its link on the node, up; unless the link is in a pod, or there is none but the trunk's. */
function eniLinks({ kernel, pool }: NodeWorld): string[] {
  const onNode = pool.enis.filter(({ role }) => role === 'shared' || role === 'trunk')
  return onNode.flatMap(({ id, mac }) => {
    const link = kernel.links.find((candidate) => candidate.mac === mac && !POD_LINK.test(candidate.name))
    if (link === undefined) return [`${id} is in use and its link is not on the node`]
    return link.up ? [] : [`${id}: link ${link.name} is down`]
  })
}
