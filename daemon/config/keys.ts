/** Keys of eni_conf that have no effect: those that nobody knows, and known ones that have nothing to set here. */
import { hintAt } from './nearest.ts'

/** By key, what has the effect instead. Their meaning is told by no document, or it is that of another part. */
export const NO_EFFECT: Readonly<Record<string, string>> = {
  cache_config: 'how often the cloud is asked is resource_gc.interval_seconds',
  ebpf_config: 'the datapath is chosen in the CNI configuration',
  emergency_mode: 'min_pool_size, max_pool_size and max_eni say how little the node may hold',
  enable_eni_trunking: 'network_mode says whose addresses pods get',
  eni_cap_policy: 'max_eni, eni_cap_ratio and eni_cap_shift say how many ENIs there may be',
  eni_capability: 'what the instance can have, the cloud says',
  'eni_config.eni_gc_threshold': 'max_pool_size and idle_ip_reclaim_after say what goes back',
  eniip_virtual_type: 'it is set in the CNI configuration',
  ha_config: 'each node has one daemon and no leader',
  ipv6_prefix_count: 'an ENI with prefixes has one of IPv6 where ip_stack asks for it',
  trunk_eni_count: 'a node has one trunk ENI',
  trunk_on: 'network_mode says whose addresses pods get',
  zone_aware: 'vswitches are by zone',
  zone_config: 'use vswitches and security_groups',
}

/** By the name of a section, or an empty one for the file itself, the keys that it may have. */
export type KnownKeys = ReadonlyMap<string, readonly string[]>

/** @param file what a key with null or an empty text has been taken out of */
export function keyWarnings(file: object, known: KnownKeys): string[] {
  const sections = Object.entries(file).filter(([key]) => key !== '' && known.has(key))
  return [
    ...oddKeys('', file, known),
    ...sections.flatMap(([section, content]) => oddKeys(section, Object(content), known)),
  ]
}

function oddKeys(section: string, content: object, known: KnownKeys): string[] {
  const odd = Object.keys(content).filter((key) => !known.get(section)?.includes(key))
  const all = pathsOf(known)
  return odd.map((key) => {
    const path = pathOf(section, key)
    const instead = Object.hasOwn(NO_EFFECT, path) ? NO_EFFECT[path] : undefined
    if (instead !== undefined) return `${path} has no effect: ${instead}`
    return `${path} is not known and has no effect${hintAt(path, all) || hintAt(key, all)}`
  })
}

/** Every key that holds a value of its own, with that of its section before it. */
export function pathsOf(known: KnownKeys): string[] {
  return [...known].flatMap(([section, keys]) =>
    keys.filter((key) => section !== '' || !known.has(key)).map((key) => pathOf(section, key)),
  )
}

function pathOf(section: string, key: string): string {
  return section === '' ? key : `${section}.${key}`
}
