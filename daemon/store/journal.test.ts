import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type EniId, parseCloudId, type SecurityGroupId, type VSwitchId } from '../../cloud/ids.ts'
import { parseCidr, parseIpv4, parseIpv6, parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { networkPlan } from '../../netlink/plan.ts'
import type { Attachment } from '../datapath/attachment.ts'
import type {
  AddressRecord,
  AssignRecord,
  AssignToken,
  Change,
  CreatingEni,
  EniKey,
  KnownEni,
  Owner,
  PrefixRecord,
} from '../pool/model.ts'
import type { Endpoint } from './endpoint.ts'
import { JournalError } from './error.ts'
import { Journal } from './journal.ts'

const VSWITCH = parseCloudId<VSwitchId>('vsw-h')
const CIDR = parseCidr('10.0.1.0/24')
const KNOWN: KnownEni = {
  ...{
    phase: 'in-use',
    role: 'shared',
    key: 'k1' as EniKey,
    vSwitchId: VSWITCH,
    cidr: CIDR,
    cidr6: parseCidr('fd00::/64'),
    id: parseCloudId<EniId>('eni-1'),
  },
  ...{ mac: parseMac('00:16:3e:00:00:01'), primaryIp: parseIpv4('10.0.1.1'), since: 1 },
}
const CREATING: CreatingEni = {
  ...{ phase: 'creating', role: 'shared', key: 'k2' as EniKey, vSwitchId: VSWITCH, cidr: CIDR, since: 2 },
  request: {
    ...{ vSwitchId: VSWITCH, securityGroupIds: [parseCloudId<SecurityGroupId>('sg-1')], secondaryIps: 3 },
    ...{ tags: { creator: 'terway' }, name: 'n', clientToken: 'k2' },
  },
}
const address = (last: number, eni: string, phase: Pick<AddressRecord, 'phase'> & object): AddressRecord =>
  ({ ip: parseIpv4(`10.0.1.${last}`), eni: eni as EniKey, primary: last === 1, since: 3, ...phase }) as AddressRecord
const ADDRESSES = [
  address(1, 'k1', { phase: 'warm' }),
  address(2, 'k1', { phase: 'owned', owner: 'c/eth0' as Owner } as never),
  address(3, 'k1', { phase: 'owned', owner: 'd/eth0' as Owner, lost: true } as never),
  address(4, 'k1', { phase: 'cooling', until: 99 } as never),
  address(5, 'k1', { phase: 'unassigning' }),
]
const ASSIGN: AssignRecord = { token: 't1' as AssignToken, eni: 'k1' as EniKey, what: 'ipv4', count: 2, since: 4 }
const FILLED: Change[] = [
  { kind: 'put-eni', eni: KNOWN },
  { kind: 'put-eni', eni: CREATING },
  ...ADDRESSES.map((record): Change => ({ kind: 'put-address', address: record })),
  { kind: 'put-assign', assign: ASSIGN },
]
const ENDPOINT: Endpoint = {
  ...{
    containerId: 'c',
    ifname: parseLinkName('eth0'),
    phase: 'ready',
    network: 'terway',
    namespace: 'default',
    pod: 'web',
    netns: '/run/netns/x',
  },
  ...{
    netnsId: '4:5',
    since: 6,
    ip: parseIpv4('10.0.1.2'),
    eniId: 'eni-1',
    hostLink: parseLinkName('calic95a4947e07'),
    ip6: parseIpv6('fd00::2'),
    plan: networkPlan({ sysctls: [{ netns: 'host', key: ['net', 'ipv4', 'ip_forward'], value: '1' }] }),
  },
  replaced: networkPlan({ podNetns: '/run/netns/x' }),
}
const ATTACHMENT: Attachment = {
  ...{ datapath: 'route', containerId: 'c', ifname: ENDPOINT.ifname, netns: '/run/netns/x' },
  ...{ hostLink: parseLinkName('calic95a4947e07'), indexes: { link: 1, peer: 2, shaper: 3 }, mtu: 1500 },
  ...{ addresses: { ipv4: parseIpv4('10.0.1.2') }, defaultRoute: true, sourceRouting: false, extraRoutes: [] },
  ...{ hostStackCidrs: [CIDR], hostPeer: true, bandwidth: { egress: { rate: 5 } }, priority: 'burstable' },
}

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'terway-journal-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('the journal', () => {
  test('gives back what was put, after it was closed', () => {
    {
      using journal = new Journal(directory)
      journal.commitPool(FILLED)
      journal.putEndpoint(ENDPOINT)
      journal.putFact('instance-type', { id: 'ecs.g7.xlarge' })
    }
    using journal = new Journal(directory)
    const pool = journal.loadPool()
    expect([...pool.enis.values()]).toEqual([KNOWN, CREATING])
    expect([...pool.addresses.values()]).toEqual(ADDRESSES)
    expect([...pool.assigns.values()]).toEqual([ASSIGN])
    expect(journal.loadEndpoints()).toEqual([ENDPOINT])
    expect(journal.getFact('instance-type')).toEqual({ id: 'ecs.g7.xlarge' })
    expect(journal.getFact('never put')).toBeUndefined()
  })

  test('an ENI takes its addresses and assigns with it', () => {
    using journal = new Journal(directory)
    journal.commitPool([...FILLED, { kind: 'drop-eni', key: KNOWN.key }])
    const pool = journal.loadPool()
    expect([...pool.enis.keys()]).toEqual(['k2'])
    expect(pool.addresses.size + pool.assigns.size).toBe(0)
  })

  test('a change is whole or not at all', () => {
    using journal = new Journal(directory)
    journal.commitPool(FILLED)
    const broken = { kind: 'put-eni', eni: { ...KNOWN, key: null } } as unknown as Change
    expect(() => journal.commitPool([{ kind: 'drop-address', ip: parseIpv4('10.0.1.1') }, broken])).toThrow()
    expect(journal.loadPool().addresses.has(parseIpv4('10.0.1.1'))).toBe(true)
  })

  test('a dropped endpoint is gone', () => {
    using journal = new Journal(directory)
    journal.putEndpoint(ENDPOINT)
    journal.dropEndpoint(ENDPOINT)
    journal.dropEndpoint(ENDPOINT)
    expect(journal.loadEndpoints()).toEqual([])
  })

  test('what a plan was made from comes back as it was, and one that was never put stays absent', () => {
    using journal = new Journal(directory)
    journal.putEndpoint({ ...ENDPOINT, attachment: ATTACHMENT })
    expect(journal.loadEndpoints()).toEqual([{ ...ENDPOINT, attachment: ATTACHMENT }])
    const { replaced: _, ip6: __, ...bare } = ENDPOINT
    journal.putEndpoint(bare)
    expect(Object.keys(journal.loadEndpoints()[0] ?? {}).sort()).toEqual(Object.keys(bare).sort())
  })

  test('is for root alone', () => {
    const inner = join(directory, 'a', 'b')
    using _ = new Journal(inner)
    expect(statSync(inner).mode & 0o777).toBe(0o700)
  })

  test('belongs to one daemon, and others can still read it', () => {
    using journal = new Journal(directory)
    journal.putEndpoint(ENDPOINT)
    expect(() => new Journal(directory)).toThrow(JournalError)
    const reader = new DatabaseSync(join(directory, 'journal.db'), { readOnly: true })
    expect(reader.prepare('SELECT count(*) AS n FROM endpoints').get()).toEqual({ n: 1 })
    reader.close()
  })

  test('of another version is refused with a word on what to do', () => {
    new Journal(directory).close()
    const db = new DatabaseSync(join(directory, 'journal.db'))
    db.exec('PRAGMA user_version = 99')
    db.close()
    expect(() => new Journal(directory)).toThrow(/schema version 99.*newer/)
  })
})

describe('a damaged journal', () => {
  const DAMAGE = [
    { table: 'enis', name: 'k1', load: 'loadPool' },
    { table: 'addresses', name: '10.0.1.1', load: 'loadPool' },
    { table: 'assigns', name: 't1', load: 'loadPool' },
    { table: 'prefixes', name: '10.0.2.0/28', load: 'loadPool' },
    { table: 'endpoints', name: 'c/eth0', load: 'loadEndpoints' },
  ] as const
  const PREFIX: PrefixRecord = { cidr: parseCidr('10.0.2.0/28'), eni: KNOWN.key, since: 5, phase: 'active' }

  function damage(sql: string): void {
    {
      using journal = new Journal(directory)
      journal.commitPool([...FILLED, { kind: 'put-prefix', prefix: PREFIX }])
      journal.putEndpoint(ENDPOINT)
      journal.putFact('instance-type', {})
    }
    const db = new DatabaseSync(join(directory, 'journal.db'))
    db.exec(sql)
    db.close()
  }

  test.each(DAMAGE)('names the row of $table and what to do', ({ table, name, load }) => {
    for (const record of ['{', '{}', '{"ip":"nonsense"}']) {
      damage(`UPDATE ${table} SET record = '${record}'`)
      using journal = new Journal(directory)
      expect(() => journal[load]()).toThrow(JournalError)
      const row = `journal.db is damaged, row ${name} of table ${table} cannot be read: move `
      expect(() => journal[load]()).toThrow(row)
    }
  })

  test('the reason is in words', () => {
    damage(`UPDATE addresses SET record = json_set(record, '$.since', 'x') WHERE ip = '10.0.1.4'`)
    using journal = new Journal(directory)
    expect(() => journal.loadPool()).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ message: expect.stringMatching(/^since: /) }) }),
    )
  })

  test('nor is a fact taken for what it is not', () => {
    damage(`UPDATE facts SET value = '{'`)
    using journal = new Journal(directory)
    expect(() => journal.getFact('instance-type')).toThrow(/row instance-type of table facts/)
  })

  test('a file that is no database', () => {
    writeFileSync(join(directory, 'journal.db'), 'not a database'.repeat(100))
    expect(() => new Journal(directory)).toThrow(
      /journal.db is damaged, the file cannot be read: move .*journal.db\* away/,
    )
    rmSync(join(directory, 'journal.db'))
    new Journal(directory).close()
  })
})
