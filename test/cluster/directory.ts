/** Where things of a cluster are, by name. */
import { join } from 'node:path'

/** Where `make build` puts what ships. */
export const DIST = join(import.meta.dirname, '..', '..', 'dist')

/** On tmpfs, as the state of a node is meant to be. */
export const CLUSTERS = '/dev/shm'

/** Where `ip netns` keeps the namespaces it makes. */
export const NETNS_DIRECTORY = '/run/netns'

/** Everything a cluster keeps. @throws TypeError for a prefix that cannot be part of all the names made of it. */
export function directoryOf(prefix: string): string {
  if (!/^[a-z][a-z0-9-]{1,19}$/.test(prefix)) {
    throw new TypeError(`prefix "${prefix}" must be 2 to 20 of a-z, 0-9 and "-", a letter first`)
  }
  return join(CLUSTERS, prefix)
}

/** Path of a namespace made by `ip netns add`. */
export function netnsPath(name: string): string {
  return join(NETNS_DIRECTORY, name)
}
