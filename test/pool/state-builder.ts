/** Pool states written down in a line each, for tests of what is pure. */
import { type EniId, parseCloudId, type VSwitchId } from '../../cloud/ids.ts'
import { type Circumstances, UNHINDERED } from '../../daemon/pool/circumstances.ts'
import type {
  AddressPhase,
  AssignKind,
  AssignToken,
  EniKey,
  EniRecord,
  EniRole,
  NewAddresses,
  Owner,
  PodKey,
} from '../../daemon/pool/model.ts'
import { PoolTables } from '../../daemon/pool/tables.ts'
import { addressAt, type Cidr, type Ip, type Ipv4, parseCidr, parseMac } from '../../inet/address.ts'

export const VSWITCH = parseCloudId<VSwitchId>('vsw-h')
export const CIDR4 = parseCidr('10.0.0.0/16')
export const CIDR6 = parseCidr('fd00::/64')

export const warm: AddressPhase = { phase: 'warm' }
export const owned: AddressPhase = { phase: 'owned', owner: 'c/eth0' as Owner }
export const ghost: AddressPhase = { phase: 'owned', owner: 'c/eth0' as Owner, lost: true }
export const unassigning: AddressPhase = { phase: 'unassigning' }
export const cooling = (until: number): AddressPhase => ({ phase: 'cooling', until })
export const many = <T>(count: number, item: T): T[] => new Array<T>(count).fill(item)

export const key = (name: string): EniKey => name as EniKey

export interface Content {
  readonly phase?: EniRecord['phase']
  readonly role?: EniRole
  /** IPv4, the first one the primary. */
  readonly ipv4?: readonly AddressPhase[]
  readonly ipv6?: readonly AddressPhase[]
  /** IPv4 prefixes by the phases of their sixteen addresses; fewer are filled with warm ones. */
  readonly prefixes?: readonly (readonly AddressPhase[])[]
  readonly ipv6Prefix?: boolean
  readonly assigns?: readonly (readonly [AssignKind, number])[]
  /** Of one that is being created. */
  readonly request?: NewAddresses
  readonly since?: number
}

/** ENIs by name; addresses are counted up from 10.0.0.10 and fd00::a in the order they are written. */
export function poolOf(content: Readonly<Record<string, Content>>): PoolTables {
  const builder = new Builder()
  for (const [name, one] of Object.entries(content)) builder.add(name, one)
  return builder.tables
}

class Builder {
  readonly tables = new PoolTables()
  #ipv4 = 10n
  #ipv6 = 10n
  #prefix = 0n
  #token = 0

  add(name: string, content: Content): void {
    const { ipv4 = [], ipv6 = [], prefixes = [], assigns = [], ipv6Prefix = false } = content
    this.tables.apply([{ kind: 'put-eni', eni: record(name, content) }])
    for (const [index, phase] of ipv4.entries())
      this.#put(name, addressAt(CIDR4, this.#ipv4++), { phase, primary: index === 0 })
    for (const phase of ipv6) this.#put(name, addressAt(CIDR6, this.#ipv6++), { phase, primary: false })
    for (const phases of prefixes) this.#putPrefix(name, phases)
    if (ipv6Prefix) this.#prefixRecord(name, parseCidr(`fd00:0:0:1:${++this.#token}::/80`))
    for (const [what, count] of assigns) {
      const token = `t${++this.#token}` as AssignToken
      this.tables.apply([{ kind: 'put-assign', assign: { token, eni: key(name), what, count, since: 0 } }])
    }
  }

  #putPrefix(name: string, phases: readonly AddressPhase[]): void {
    const cidr = parseCidr(`10.1.0.${16n * this.#prefix++}/28`)
    this.#prefixRecord(name, cidr)
    for (let i = 0; i < 16; i++) {
      this.#put(name, addressAt(cidr, BigInt(i)), { phase: phases[i] ?? warm, primary: false, prefix: cidr })
    }
  }

  #prefixRecord(name: string, cidr: Cidr): void {
    this.tables.apply([{ kind: 'put-prefix', prefix: { cidr, eni: key(name), since: 0, phase: 'active' } }])
  }

  #put(name: string, ip: Ip, { phase, ...facts }: { phase: AddressPhase; primary: boolean; prefix?: Cidr }): void {
    const address = { ip, eni: key(name), since: 0, pod: `ns/${ip}` as PodKey, ...facts, ...phase }
    this.tables.apply([{ kind: 'put-address', address }])
  }
}

function record(name: string, { phase = 'in-use', role = 'shared', request, since = 0 }: Content): EniRecord {
  const base = { key: key(name), role, vSwitchId: VSWITCH, cidr: CIDR4, since }
  if (phase === 'creating') {
    const asked = { vSwitchId: VSWITCH, securityGroupIds: [], clientToken: name, ...(request ?? { secondaryIps: 0 }) }
    return { ...base, phase, request: asked }
  }
  const id = parseCloudId<EniId>(`eni-${name}`)
  return { ...base, phase, id, mac: parseMac('00:16:3e:00:00:01'), primaryIp: addressAt(CIDR4, 1n) as Ipv4 }
}

/** Nothing stands in the way, and the ENIs named are ready. */
export function ready(...names: readonly string[]): Circumstances {
  return { ...UNHINDERED, readyEnis: new Set(names.map(key)) }
}
