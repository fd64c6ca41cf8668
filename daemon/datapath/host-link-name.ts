/** Name of a pod's link on the node, as Terway and Calico derive it, so that other tools find it. */
import { createHash } from 'node:crypto'
import { type LinkName, parseLinkName } from '../../inet/link-name.ts'

/** `cali` and the first 11 hex digits of SHA-1(`namespace.pod` + ifname, left out for eth0). */
export function hostLinkName(namespace: string, pod: string, ifname: LinkName): LinkName {
  const suffix = ifname === 'eth0' ? '' : ifname
  const digest = createHash('sha1').update(`${namespace}.${pod}${suffix}`).digest('hex')
  return parseLinkName(`cali${digest.slice(0, 11)}`)
}
