/** A pod's sandbox as a runtime makes it: a network namespace and an id. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createNamedNetns } from '../../../netlink/netns.ts'
import type { CniCall } from '../../cluster/cni.ts'
import { netnsPath } from '../../cluster/directory.ts'

export type Sandbox = CniCall

export interface SandboxOptions {
  /** Of the cluster, which removes the namespace in its end. */
  readonly prefix: string
  /** Names the namespace, which is made when there is none: for one pod after the other. */
  readonly place: string
  readonly pod: string
}

export function sandbox({ prefix, place, pod }: SandboxOptions): Sandbox {
  const name = `${prefix}-${place}`
  if (!existsSync(netnsPath(name))) createNamedNetns(name)
  // 64 hexadecimal digits.
  const containerId = createHash('sha256').update(`${prefix} ${pod}`).digest('hex')
  return { containerId, netns: netnsPath(name), ifname: 'eth0', namespace: 'bench', pod }
}
