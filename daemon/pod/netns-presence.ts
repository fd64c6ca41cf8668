/** Whether the sandbox of an endpoint is still there. */
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { LinkName } from '../../inet/link-name.ts'
import { isNetnsGone, NetnsError } from '../../netlink/error.ts'
import { openNetns } from '../../netlink/netns.ts'
import type { Endpoint } from '../store/endpoint.ts'

type Sandbox = Pick<Endpoint, 'netns' | 'netnsId'>

/**
 * - `there`: the namespace on record is at its path
 * - `another`: the path leads to another namespace
 * - `nothing`: it leads to none, maybe since a mount does not reach this process
 * - `unknown`: it could not be looked at, for a reason that says nothing about the pod (no descriptors left, no
 *   permission)
 */
export type Presence = 'there' | 'another' | 'nothing' | 'unknown'

export function presenceOf({ netns, netnsId }: Sandbox): Presence {
  try {
    using handle = openNetns(netns)
    return handle.identity === netnsId ? 'there' : 'another'
  } catch (error) {
    if (isNetnsGone(error)) return 'nothing'
    if (error instanceof NetnsError) return 'unknown'
    throw error
  }
}

export interface NodeSight {
  readonly linkExists: (name: LinkName) => boolean
  /** Of this node, on record. */
  readonly sandboxes: readonly Sandbox[]
}

/**
 * Whether the pod has ended. An address that is taken from a running pod is given twice, so an empty path alone is not
 * enough. With the namespace dies its end of a veth, and the host's end with that: where the pod has one it is the
 * second witness. Where it has none, as with IPVlan, it must be seen that sandboxes of the kind can be seen at all, and
 * that again later: `likely`.
 *
 * A reboot ends every pod. The journal, on tmpfs, goes with them; were it kept elsewhere, pods with a veth would have
 * ended for certain, the others as soon as the runtime has made the first new sandbox.
 */
export function endOf(endpoint: Endpoint, { linkExists, sandboxes }: NodeSight): 'no' | 'likely' | 'certain' {
  const presence = presenceOf(endpoint)
  if (presence === 'there' || presence === 'unknown') return 'no'
  const hostEnd = hostEndOf(endpoint)
  if (hostEnd !== undefined) return linkExists(hostEnd) ? 'no' : 'certain'
  if (presence === 'another') return 'certain'
  return seesSandboxes(endpoint, sandboxes) ? 'likely' : 'no'
}

/** Of the veth by which the pod reaches its node. */
function hostEndOf({ plan }: Endpoint): LinkName | undefined {
  return plan?.links.find(({ kind }) => kind === 'veth')?.name
}

/** Whether others than the one that is not seen are, where it should be. */
function seesSandboxes({ netns }: Sandbox, sandboxes: readonly Sandbox[]): boolean {
  const place = placeOf(netns)
  const isSeen = (other: Sandbox) => placeOf(other.netns) === place && presenceOf(other) === 'there'
  return sandboxes.some(isSeen) || filesIn(place).some(isNamespace)
}

/** Some runtimes name a sandbox by a process: each has a directory of its own. */
function placeOf(netns: string): string {
  return dirname(netns).replace(/^\/proc\/\d+\//, '/proc/*/')
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => join(directory, name))
  } catch {
    // A directory that cannot be read shows no sandbox.
    return []
  }
}

function isNamespace(path: string): boolean {
  try {
    using _ = openNetns(path)
    return true
  } catch (error) {
    if (error instanceof NetnsError) return false
    throw error
  }
}
