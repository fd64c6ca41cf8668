/** Address families as rtnetlink numbers them (linux/socket.h). */
import type { Family } from '../inet/address.ts'

const AF_INET = 2
const AF_INET6 = 10

export function familyNumber(family: Family): number {
  return family === 'ipv4' ? AF_INET : AF_INET6
}

/** `undefined` for bridges, multicast routing and other families this folder does not deal with. */
export function familyFromNumber(family: number): Family | undefined {
  if (family === AF_INET) return 'ipv4'
  return family === AF_INET6 ? 'ipv6' : undefined
}
