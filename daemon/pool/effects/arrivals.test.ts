import { describe, expect, test } from '@jest/globals'
import { type Cidr, type Ip, parseCidr, parseIp } from '../../../inet/address.ts'
import type { AddressPhase, AddressRecord, Change, EniKey, Owner, PodKey, PrefixRecord } from '../model.ts'
import { PoolTables } from '../tables.ts'
import { type Arrival, arrivals } from './arrivals.ts'

const HERE = 'here' as EniKey
const ELSEWHERE = 'elsewhere' as EniKey
const IP = parseIp('10.0.1.5')
const V4 = parseCidr('10.0.1.0/28')
const V6 = parseCidr('2001:db8:0:1a01:1::/80')
const OWNER = 'pod/eth0' as Owner
const POD = 'default/web' as PodKey
const NOW = 5_000

interface Known {
  readonly addresses?: readonly AddressRecord[]
  readonly prefixes?: readonly PrefixRecord[]
}

/** What is on record after the arrival. */
function recordsAfter({ addresses = [], prefixes = [] }: Known, arrival: Partial<Arrival>): PoolTables {
  const tables = new PoolTables()
  tables.apply([
    ...addresses.map((address): Change => ({ kind: 'put-address', address })),
    ...prefixes.map((prefix): Change => ({ kind: 'put-prefix', prefix })),
  ])
  const changes = arrivals(tables, { eni: HERE, ips: [], prefixes: [], ...arrival }, NOW)
  tables.check(changes)
  tables.apply(changes)
  return tables
}

function address(ip: Ip, eni: EniKey, phase: AddressPhase, prefix?: Cidr): AddressRecord {
  return { ip, eni, primary: false, since: 0, pod: POD, ...phase, ...(prefix === undefined ? {} : { prefix }) }
}

describe('an address', () => {
  test('that is new is free', () => {
    const tables = recordsAfter({}, { ips: [IP], primaryIp: IP })
    expect(tables.addresses.get(IP)).toEqual({ ip: IP, eni: HERE, primary: true, phase: 'warm', since: NOW })
  })

  const OWNED = { phase: 'owned', owner: OWNER } as const
  test.each<{ name: string; phase: AddressPhase; becomes: object }>([
    { name: 'free', phase: { phase: 'warm' }, becomes: { phase: 'warm', since: NOW } },
    { name: 'in use', phase: OWNED, becomes: { ...OWNED, pod: POD } },
    { name: 'a ghost', phase: { ...OWNED, lost: true }, becomes: { ...OWNED, pod: POD } },
    {
      name: 'cooling',
      phase: { phase: 'cooling', until: 9_000 },
      becomes: { phase: 'cooling', until: 9_000, pod: POD },
    },
    { name: 'on its way back', phase: { phase: 'unassigning' }, becomes: { phase: 'warm', since: NOW } },
  ])('that was $name on another ENI moves', ({ phase, becomes }) => {
    const tables = recordsAfter({ addresses: [address(IP, ELSEWHERE, phase)] }, { ips: [IP] })
    expect(tables.addresses.get(IP)).toMatchObject({ ...becomes, eni: HERE })
    expect(tables.addresses.get(IP)).not.toHaveProperty('lost')
    expect([...tables.addressesOf(ELSEWHERE)]).toEqual([])
  })

  test.each<AddressPhase>([{ phase: 'warm' }, OWNED, { phase: 'cooling', until: 9_000 }, { phase: 'unassigning' }])(
    'named again by a repeated call stays $phase',
    (phase) => {
      const known = address(IP, HERE, phase)
      expect(recordsAfter({ addresses: [known] }, { ips: [IP] }).addresses.get(IP)).toEqual(known)
    },
  )

  test.each<AddressPhase>([OWNED, { phase: 'cooling', until: 9_000 }])(
    'that was $phase in a prefix is a single one now',
    (phase) => {
      const tables = recordsAfter({ addresses: [address(IP, ELSEWHERE, phase, V4)] }, { ips: [IP] })
      expect(tables.addresses.get(IP)).toEqual(address(IP, HERE, phase))
    },
  )

  test('that was lost here is regained', () => {
    const tables = recordsAfter({ addresses: [address(IP, HERE, { ...OWNED, lost: true })] }, { ips: [IP] })
    expect(tables.addresses.get(IP)).toEqual(address(IP, HERE, OWNED))
  })
})

describe('a prefix', () => {
  test('of IPv4 is written out', () => {
    const tables = recordsAfter({}, { prefixes: [V4] })
    expect(tables.prefixes.get(V4)).toEqual({ cidr: V4, eni: HERE, since: NOW, phase: 'active' })
    const ips = [...tables.addressesOf(HERE)]
    expect(ips.map(({ ip }) => ip)).toEqual(Array.from({ length: 16 }, (_, last) => `10.0.1.${last}`))
    expect(ips.every(({ phase, prefix, primary }) => phase === 'warm' && prefix === V4 && !primary)).toBe(true)
  })

  test('of IPv6 is one record', () => {
    const tables = recordsAfter({}, { prefixes: [V6] })
    expect([tables.prefixes.size, tables.addresses.size]).toEqual([1, 0])
  })

  test('of IPv6 that comes back brings the addresses that pods still carry', () => {
    const ip = parseIp('2001:db8:0:1a01:1::7')
    const prefixes = [{ cidr: V6, eni: ELSEWHERE, since: 0, phase: 'lost' as const }]
    const ghost = address(ip, ELSEWHERE, { phase: 'owned', owner: OWNER, lost: true }, V6)
    const tables = recordsAfter({ addresses: [ghost], prefixes }, { prefixes: [V6] })
    expect(tables.prefixes.get(V6)).toMatchObject({ eni: HERE, phase: 'active' })
    expect(tables.addresses.get(ip)).toEqual(address(ip, HERE, { phase: 'owned', owner: OWNER }, V6))
  })

  test('named again by a repeated call stays as it is', () => {
    const prefix = { cidr: V4, eni: HERE, since: 0, phase: 'unassigning' } as const
    const addresses = [address(IP, HERE, { phase: 'unassigning' }, V4)]
    expect(recordsAfter({ addresses, prefixes: [prefix] }, { prefixes: [V4] }).prefixes.get(V4)).toEqual(prefix)
  })
})
