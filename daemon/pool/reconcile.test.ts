import { describe, expect, test } from '@jest/globals'
import { type Ip, parseCidr, parseIpv6 } from '../../inet/address.ts'
import { type LinkName, parseLinkName } from '../../inet/link-name.ts'
import type { AssignToken, EniKey } from './model.ts'
import {
  addressRecord,
  again,
  available,
  cloudEni,
  commit,
  eniRecord,
  ids,
  inPrefix,
  ip,
  ip6,
  KEY,
  MINUTE,
  NOW,
  OTHER,
  owned,
  PREFIX6,
  prefix,
  recorded,
  run,
  twice,
  VSWITCH,
  worldOf,
} from './reconcile/world-under-test.ts'
import { reconcile } from './reconcile.ts'
import type { PoolKind } from './settings.ts'
import { PoolTables } from './tables.ts'

const PREFIX6_POD = parseIpv6('fd00:0:0:0:1::5')
const LINK = parseLinkName('cali0123456789a')
const BLOCKED = [{ key: 'excluded', value: 'true' }]
const excluded = {
  tags: new Map([
    ['creator', 'terway'],
    ['excluded', 'true'],
  ]),
}
const blocking = { ...worldOf().ownership, blockedTags: BLOCKED }

describe('ENIs of ours that are not on record', () => {
  test('an attached one is taken over with its addresses when it is seen twice', () => {
    const { first, second } = twice({ cloud: [cloudEni('eni-9')] })
    expect(first).toMatchObject({ changes: [], findings: [{ kind: 'suspected', fields: { eni: 'eni-9' } }] })
    expect(second.changes.map(({ kind }) => kind)).toEqual(['put-eni', 'put-address', 'put-address'])
    expect(second.changes[0]).toMatchObject({ eni: { phase: 'attaching', id: 'eni-9', role: 'shared' } })
    expect(second.changes[1]).toMatchObject({ address: { ip: ip(1), primary: true, phase: 'warm' } })
    expect(second.findings).toMatchObject([{ kind: 'adopted' }])
  })

  test('at the first look of a start without a journal once is enough to take over, and not to remove', () => {
    const cloud = [cloudEni('eni-8'), available('eni-9'), cloudEni('eni-7', { status: 'Detaching' })]
    const { changes } = run({ cloud, fresh: true })
    expect(changes[0]).toMatchObject({ kind: 'put-eni', eni: { phase: 'attaching', id: 'eni-8' } })
    expect(changes.filter(({ kind }) => kind === 'put-eni')).toHaveLength(1)
  })

  test('both families and prefixes come with it; what a pod of this node carries is never free', () => {
    const podRoutes = new Map<Ip, LinkName>([
      [ip(2), LINK],
      [ip6(2), LINK],
      [inPrefix(0, 3), LINK],
    ])
    const eni = cloudEni('eni-9', { ipv6s: [ip6(1), ip6(2)], ipv4Prefixes: [prefix(0)], ipv6Prefixes: [PREFIX6] })
    const state = new PoolTables()
    commit(state, run({ cloud: [eni], fresh: true, podRoutes }))
    const held = [...state.addresses.values()].filter(({ phase }) => phase === 'owned')
    expect(held.map((a) => [a.ip, a.phase === 'owned' && a.owner, a.prefix])).toEqual([
      [inPrefix(0, 3), `unknown/${LINK}`, prefix(0)],
      [ip(2), `unknown/${LINK}`, undefined],
      [ip6(2), `unknown/${LINK}`, undefined],
    ])
    expect(state.addresses.size).toBe(2 + 2 + 16)
    expect([...state.prefixes.values()]).toMatchObject([
      { cidr: prefix(0), phase: 'active' },
      { cidr: PREFIX6, phase: 'active' },
    ])
  })

  test('a pod’s address of a /80 is put on record with it, and no other one', () => {
    const state = new PoolTables()
    const podRoutes = new Map([
      [ip6(7), LINK],
      [PREFIX6_POD, LINK],
    ])
    const wide = cloudEni('eni-9', { ips: [ip(1)], ipv6Prefixes: [PREFIX6] })
    commit(state, run({ cloud: [wide], fresh: true, podRoutes }))
    expect([...state.addresses.keys()]).toEqual([PREFIX6_POD, ip(1)])
    expect(state.addresses.get(PREFIX6_POD)).toMatchObject({ phase: 'owned', prefix: PREFIX6 })
  })

  test.each<[PoolKind, Parameters<typeof cloudEni>[1], object]>([
    ['shared', {}, { role: 'shared' }],
    ['exclusive', { ips: [ip(1)], ipv6s: [ip6(1)] }, { role: 'exclusive' }],
    ['exclusive', { ips: [ip(1), ip(2)] }, { role: 'shared' }],
    ['member', { type: 'Trunk', ips: [ip(1)] }, { role: 'trunk' }],
    ['member', { type: 'Member', ips: [ip(1)], trunkId: ids('eni-t'), vlanId: 7 }, { role: 'member', vlanId: 7 }],
    ['member', { ips: [ip(1)] }, { role: 'shared' }],
    ['shared', { type: 'Member', ips: [ip(1)] }, { role: 'member' }],
  ])('of a pool of %s ENIs %j is %j', (kind, fields, role) => {
    expect(run({ cloud: [cloudEni('eni-9', fields)], kind, fresh: true }).changes[0]).toMatchObject({ eni: role })
  })

  test('one that a creation on record has made is left to that creation, for ever', () => {
    const state = new PoolTables()
    const key = 'intent-1' as EniKey
    const { vSwitchId, cidr } = eniRecord()
    const request = { vSwitchId, securityGroupIds: [], secondaryIps: 1, tags: {}, name: 'n', clientToken: key }
    state.apply([
      { kind: 'put-eni', eni: { phase: 'creating', key, role: 'shared', vSwitchId, cidr, request, since: 0 } },
    ])
    const tags = new Map([...available('eni-9').tags, ['terway.intent', key]])
    const { second } = twice({ state, cloud: [available('eni-9', { tags })] })
    expect(second).toMatchObject({ changes: [], findings: [], strays: [] })
  })
})

describe('the IPv6 prefix of a vSwitch', () => {
  const cidr6 = parseCidr('fd00::/64')
  const cidrs6 = new Map([[VSWITCH, cidr6]])

  test('comes with an ENI that is taken over', () => {
    const { changes } = run({ cloud: [cloudEni('eni-9')], cidrs6, fresh: true })
    expect(changes[0]).toMatchObject({ kind: 'put-eni', eni: { id: 'eni-9', cidr6 } })
    expect(run({ cloud: [cloudEni('eni-9')], fresh: true }).changes[0]).not.toHaveProperty('eni.cidr6')
  })

  test('is put on record with an ENI in use that was recorded without, once', () => {
    const state = recorded()
    const first = run({ state, cloud: [cloudEni('eni-1')], cidrs6 })
    expect(first.changes).toEqual([{ kind: 'put-eni', eni: { ...eniRecord(), cidr6 } }])
    commit(state, first)
    expect(run({ state, cloud: [cloudEni('eni-1')], cidrs6 }).changes).toEqual([])
  })

  test('stays with one that is drained at the same time', () => {
    const state = recorded()
    const { changes } = run({ state, cloud: [cloudEni('eni-1')], cidrs6, kind: 'exclusive' })
    expect(changes.at(-1)).toMatchObject({ kind: 'put-eni', eni: { phase: 'draining', cidr6 } })
  })
})

describe('ENIs left behind', () => {
  test('one made for this node and attached to nothing is removed when it is seen twice', () => {
    const { first, second } = twice({ cloud: [available('eni-9')] })
    expect(first).toMatchObject({ changes: [], findings: [{ kind: 'suspected' }] })
    expect(second.changes[0]).toMatchObject({ kind: 'put-eni', eni: { phase: 'deleting', id: 'eni-9' } })
    expect(second.findings).toMatchObject([{ kind: 'released' }])
  })

  test('not before it has been seen for as long as is configured; what is told again is marked', () => {
    const cloud = [available('eni-9')]
    const at = (minute: number, suspicions = worldOf().suspicions) =>
      run({ cloud, suspicions, orphanTtl: 10 * MINUTE, now: NOW + minute * MINUTE })
    const first = at(0)
    const second = at(9, first.suspicions)
    expect(second).toMatchObject({ changes: [], findings: [{ kind: 'suspected', repeated: true }] })
    expect(at(10, second.suspicions).changes[0]).toMatchObject({ eni: { phase: 'deleting' } })
  })

  test('a clock that is set back does not make it wait for longer', () => {
    const cloud = [available('eni-9')]
    const orphanTtl = 10 * MINUTE
    const first = run({ cloud, orphanTtl })
    const back = run({ cloud, orphanTtl, suspicions: first.suspicions, now: 0 })
    expect(run({ cloud, orphanTtl, suspicions: back.suspicions, now: 10 * MINUTE }).changes).not.toEqual([])
  })

  test('one that was not seen in between is seen for the first time', () => {
    const cloud = [available('eni-9')]
    const { suspicions } = run({ suspicions: run({ cloud }).suspicions })
    expect(run({ cloud, suspicions }).changes).toEqual([])
  })

  test('after it has been acted on, one old answer does not do it again', () => {
    const cloud = [available('eni-9')]
    const { second } = twice({ cloud })
    expect(run({ cloud, suspicions: second.suspicions }).changes).toEqual([])
  })

  test('one whose address a pod carries is brought back instead', () => {
    const podRoutes = new Map([[ip(2), LINK]])
    const { second } = twice({ cloud: [available('eni-9')], podRoutes })
    expect(second.changes[0]).toMatchObject({ eni: { phase: 'attaching', id: 'eni-9' } })
  })

  test('one that could not be made is deleted by its id', () => {
    const { mac: _, primaryIp: __, ...failed } = available('eni-9', { status: 'CreateFailed', ips: [] })
    const { first, second } = twice({ cloud: [failed] })
    expect(first).toMatchObject({ changes: [], strays: [], findings: [{ kind: 'suspected' }] })
    expect(second).toMatchObject({ changes: [], strays: ['eni-9'], findings: [{ kind: 'stray' }] })
  })

  test.each(['InUse', 'Attaching', 'Detaching', 'Deleting', 'Unknown'] as const)(
    'one that is not whole and %s is not deleted',
    (status) => {
      const { mac: _, primaryIp: __, ...odd } = available('eni-9', { status, ips: [] })
      expect(twice({ cloud: [odd] }).second).toMatchObject({ changes: [], strays: [] })
    },
  )
})

describe('ENIs that are not ours', () => {
  test('are never touched; one attached here is reported, to the log once', () => {
    const foreign = cloudEni('eni-9', { tags: new Map([['creator', 'someone']]) })
    const { first, second } = twice({
      cloud: [foreign, cloudEni('eni-p', { type: 'Primary' }), cloudEni('eni-o', { instanceId: OTHER })],
    })
    const expected = { id: 'eni-9', type: 'Secondary', why: expect.stringContaining('someone') }
    expect(first).toMatchObject({ changes: [], foreign: [expected], findings: [{ kind: 'foreign', repeated: false }] })
    expect(second).toMatchObject({ changes: [], foreign: [expected], findings: [{ kind: 'foreign', repeated: true }] })
  })

  test('one on record that somebody has taken is left to them when that is seen twice, and does not come back', () => {
    const state = recorded()
    const part = { state, cloud: [cloudEni('eni-1', excluded)], ownership: blocking }
    const { first, second } = twice(part)
    expect(first).toMatchObject({ changes: [], foreign: [] })
    commit(state, second)
    expect(state.enis.get(KEY)).toMatchObject({ phase: 'lost' })
    expect(second.foreign).toMatchObject([{ id: 'eni-1' }])
    expect(run({ ...part, now: NOW + 9 * MINUTE, settledBefore: NOW + 9 * MINUTE })).toMatchObject({
      changes: [],
      findings: [],
      foreign: [{ id: 'eni-1' }],
    })
  })
})

describe('an ENI on record', () => {
  test('of which the answer says nothing that is understood is only known to be there', () => {
    const { mac: _, vSwitchId: __, primaryIp: ___, instanceId: ____, ...rest } = cloudEni('eni-1')
    const unknown = { ...rest, status: 'Unknown', type: 'Unknown', ips: [], tags: new Map() } as const
    const { suspicions } = run({ state: recorded() })
    const { changes, suspicions: left } = run({ state: recorded(), cloud: [unknown], suspicions })
    expect(changes).toEqual([])
    expect(left.size).toBe(0)
  })

  test('is believed gone when two answers lack it; what pods carry stays on record, the rest is forgotten', () => {
    const { first, second } = twice({ state: recorded() })
    expect(first).toMatchObject({ changes: [], findings: [{ kind: 'suspected' }] })
    expect(second.changes).toMatchObject([
      { kind: 'put-eni', eni: { id: 'eni-1', phase: 'lost' } },
      { kind: 'drop-address', ip: ip(1) },
      { kind: 'put-address', address: { ip: ip(2), phase: 'owned', lost: true } },
    ])
    expect(second.findings).toMatchObject([{ kind: 'ghost', level: 'error', fields: { podsCutOff: ip(2) } }])
  })

  test('that is gone takes its assigns with it, and its prefixes as far as no pod has anything of them', () => {
    const state = recorded()
    state.apply([
      { kind: 'put-assign', assign: { token: 't' as AssignToken, eni: KEY, what: 'ipv4', count: 1, since: 0 } },
      { kind: 'put-prefix', prefix: { cidr: prefix(0), eni: KEY, since: 0, phase: 'active' } },
      { kind: 'put-prefix', prefix: { cidr: prefix(1), eni: KEY, since: 0, phase: 'active' } },
      { kind: 'put-address', address: addressRecord(inPrefix(1, 4), owned, { prefix: prefix(1) }) },
      { kind: 'put-address', address: addressRecord(inPrefix(1, 5), { phase: 'warm' }, { prefix: prefix(1) }) },
    ])
    commit(state, twice({ state }).second)
    expect(state.assigns.size).toBe(0)
    expect([...state.prefixes.values()]).toMatchObject([{ cidr: prefix(1), phase: 'lost' }])
    expect([...state.addresses.values()]).toMatchObject([
      { ip: inPrefix(1, 4), lost: true },
      { ip: ip(2), lost: true },
    ])
  })

  test('is dropped when no pod carries anything of it', () => {
    const state = recorded()
    state.apply([{ kind: 'drop-address', ip: ip(2) }])
    expect(twice({ state }).second.changes).toEqual([{ kind: 'drop-eni', key: KEY }])
  })

  test('is attached again when it comes back, and its pods keep their addresses', () => {
    const state = recorded()
    commit(state, twice({ state }).second)
    const later = NOW + 2 * MINUTE
    expect(run({ state, now: later, settledBefore: later }).changes).toEqual([])
    const back = run({ state, now: later, settledBefore: later, cloud: [cloudEni('eni-1')] })
    expect(back.changes).toMatchObject([
      { kind: 'put-eni', eni: { phase: 'attaching' } },
      { kind: 'put-address', address: { ip: ip(2), phase: 'owned', owner: 'c/eth0' } },
    ])
    expect(back.findings.map(({ kind }) => kind)).toEqual(['regained', 'reattached'])
  })

  test('that somebody detached is attached again when that is seen twice', () => {
    const { first, second } = twice({ state: recorded(), cloud: [available('eni-1')] })
    expect(first).toMatchObject({ changes: [], findings: [{ kind: 'suspected', fields: { eni: 'eni-1' } }] })
    expect(second.changes).toMatchObject([{ kind: 'put-eni', eni: { id: 'eni-1', phase: 'attaching' } }])
    expect(second.findings).toMatchObject([{ kind: 'reattached', level: 'error', fields: { status: 'Available' } }])
  })

  test('that is to become empty is attached again for its pods, and goes when it has none', () => {
    const state = recorded({ phase: 'draining' })
    const part = { state, cloud: [available('eni-1')] }
    expect(twice(part).second.changes).toMatchObject([{ eni: { phase: 'attaching' } }])
    state.apply([{ kind: 'drop-address', ip: ip(2) }])
    expect(twice(part).second.changes).toMatchObject([{ eni: { phase: 'detaching' } }])
  })

  test('that is attached to another node is lost to this one when that is seen twice', () => {
    const { first, second } = twice({ state: recorded(), cloud: [cloudEni('eni-1', { instanceId: OTHER })] })
    expect(first).toMatchObject({ changes: [], findings: [{ kind: 'suspected' }] })
    expect(second.changes[0]).toMatchObject({ eni: { phase: 'lost' } })
  })

  test('and recorded after the cloud was asked is left alone', () => {
    expect(run({ state: recorded(), settledBefore: -1 })).toMatchObject({ changes: [], findings: [] })
  })

  test.each([
    [{ trunkId: ids('eni-t'), vlanId: 7 }, []],
    [{ trunkId: ids('eni-t'), vlanId: 8 }, ['attaching']],
    [{ vlanId: 7 }, ['attaching']],
  ])('that is a member is attached where its trunk carries it: %j', (fields, phases) => {
    const state = recorded({ role: 'member', vlanId: 7 })
    const cloud = [cloudEni('eni-1', { type: 'Member', ...fields })]
    const { first, second } = twice({ state, kind: 'member', cloud })
    expect(first.changes).toEqual([])
    expect(second.changes.flatMap((change) => (change.kind === 'put-eni' ? [change.eni.phase] : []))).toEqual(phases)
  })

  test.each<[PoolKind, PoolKind | 'trunk', boolean]>([
    ['shared', 'exclusive', true],
    ['exclusive', 'shared', true],
    ['member', 'shared', true],
    ['shared', 'trunk', true],
    ['member', 'trunk', false],
    ['member', 'member', false],
  ])('in a pool of %s ENIs, %s: emptied %s', (kind, role, emptied) => {
    const cloud = [cloudEni('eni-1', { trunkId: ids('eni-t') })]
    const { changes } = run({ state: recorded({ role }), kind, cloud })
    expect(changes.some((change) => change.kind === 'put-eni' && change.eni.phase === 'draining')).toBe(emptied)
  })

  test('in a pool of another mode a trunk is emptied after the last of its members', () => {
    const trunk = eniRecord({ key: 'k2' as EniKey, id: ids('eni-t'), role: 'trunk' })
    const state = recorded({ role: 'member', vlanId: 7 })
    state.apply([{ kind: 'put-eni', eni: trunk }])
    const member = cloudEni('eni-1', { type: 'Member', trunkId: ids('eni-t'), vlanId: 7 })
    const part = { state, cloud: [member, cloudEni('eni-t', { type: 'Trunk', ips: [] })] }
    commit(state, run(part))
    expect([...state.enis.values()].map(({ role, phase }) => [role, phase])).toEqual([
      ['member', 'draining'],
      ['trunk', 'in-use'],
    ])
    state.apply([{ kind: 'put-eni', eni: eniRecord({ role: 'member', phase: 'deleting' }) }])
    commit(state, run(part))
    expect(state.enis.get(trunk.key)).toMatchObject({ phase: 'draining' })
  })
})

describe('what one answer lacks is given to nobody', () => {
  const doubtedBy = (part: Parameters<typeof run>[0]) => [...run(part).doubted]

  test.each([
    ['that is not listed', []],
    ['that is detached', [available('eni-1')]],
    ['that is attached to another node', [cloudEni('eni-1', { instanceId: OTHER })]],
  ])('of an ENI %s', (_, cloud) => {
    const state = recorded()
    state.apply([{ kind: 'put-prefix', prefix: { cidr: PREFIX6, eni: KEY, since: 0, phase: 'active' } }])
    expect(doubtedBy({ state, cloud })).toEqual([ip(1), ip(2), PREFIX6])
  })

  test('of an ENI that is not in use nothing is given anyway', () => {
    expect(doubtedBy({ state: recorded({ phase: 'attaching' }) })).toEqual([])
  })

  test('an address, and what is in a prefix', () => {
    const state = recorded()
    state.apply([
      { kind: 'put-prefix', prefix: { cidr: prefix(0), eni: KEY, since: 0, phase: 'active' } },
      { kind: 'put-address', address: addressRecord(inPrefix(0, 4), { phase: 'warm' }, { prefix: prefix(0) }) },
    ])
    const cloud = [cloudEni('eni-1', { ips: [ip(2)] })]
    expect(doubtedBy({ state, cloud })).toEqual([prefix(0), inPrefix(0, 4), ip(1)])
  })

  test('stays so when its phase is new at the next answer, and is no question any more when that has it', () => {
    const state = recorded()
    const part = { state, cloud: [cloudEni('eni-1', { ips: [ip(1)] })] }
    const { suspicions } = run(part)
    const until = NOW + 2 * MINUTE
    state.apply([
      { kind: 'put-address', address: addressRecord(ip(2), { phase: 'cooling', until }, { since: NOW + 1 }) },
    ])
    const second = run({ ...part, suspicions })
    expect(second.changes).toEqual([])
    expect([...second.doubted]).toEqual([ip(2)])
    expect(doubtedBy({ state, cloud: [cloudEni('eni-1')], suspicions: second.suspicions })).toEqual([])
    expect(again(part, second).changes).toMatchObject([{ address: { ip: ip(2), phase: 'cooling', lost: true } }])
  })
})

describe('addresses of an ENI on record', () => {
  test('nothing changes when both sides agree', () => {
    expect(run({ state: recorded(), cloud: [cloudEni('eni-1')] })).toMatchObject({ changes: [], findings: [] })
  })

  test.each([
    ['IPv4', { ips: [ip(1), ip(2), ip(3)] }, ip(3)],
    ['IPv6', { ipv6s: [ip6(3)] }, ip6(3)],
  ])('an %s stranger is taken over when it is seen twice', (_, fields, stranger) => {
    const { first, second } = twice({ state: recorded(), cloud: [cloudEni('eni-1', fields)] })
    expect(first).toMatchObject({ changes: [], findings: [{ kind: 'suspected', fields: { ip: stranger } }] })
    expect(second.changes).toMatchObject([{ kind: 'put-address', address: { ip: stranger, phase: 'warm' } }])
  })

  test('what an assign under way brings is left to it; another family’s is not', () => {
    const state = recorded()
    state.apply([
      { kind: 'put-assign', assign: { token: 't' as AssignToken, eni: KEY, what: 'ipv4', count: 1, since: 0 } },
    ])
    const cloud = [cloudEni('eni-1', { ips: [ip(1), ip(2), ip(3)], ipv6s: [ip6(3)] })]
    expect(twice({ state, cloud }).second.changes).toMatchObject([{ address: { ip: ip6(3) } }])
  })

  test('one of a pod that is gone is out of use when that is seen twice, and reported once; it comes back', () => {
    const state = recorded()
    const part = { state, cloud: [cloudEni('eni-1', { ips: [ip(1)] })] }
    const { first, second } = twice(part)
    expect(first).toMatchObject({ changes: [], findings: [{ kind: 'suspected', fields: { ip: ip(2) } }] })
    expect(second.changes).toMatchObject([{ address: { ip: ip(2), phase: 'owned', lost: true } }])
    expect(second.findings).toMatchObject([{ kind: 'ghost', level: 'error', fields: { owner: 'c/eth0' } }])
    commit(state, second)
    expect(again(part, second)).toMatchObject({ changes: [], findings: [] })
    const back = run({ state, cloud: [cloudEni('eni-1')] })
    commit(state, back)
    expect(state.addresses.get(ip(2))).toEqual(addressRecord(ip(2), owned))
    expect(back.findings).toMatchObject([{ kind: 'regained' }])
  })

  test('one that nobody has is forgotten; one that is being given back is left to that', () => {
    const state = recorded()
    state.apply([{ kind: 'put-address', address: addressRecord(ip(3), { phase: 'unassigning' }) }])
    const { first, second } = twice({ state, cloud: [cloudEni('eni-1', { ips: [ip(2)] })] })
    expect(first.changes).toEqual([])
    expect(second.changes).toEqual([{ kind: 'drop-address', ip: ip(1) }])
  })

  test('one recorded after the cloud was asked is left alone', () => {
    const state = recorded()
    state.apply([{ kind: 'put-address', address: addressRecord(ip(3), { phase: 'warm' }, { since: NOW }) }])
    expect(run({ state, cloud: [cloudEni('eni-1')], settledBefore: NOW - 1 }).changes).toEqual([])
  })

  test('one that cools down is not freed by turning up on another ENI', () => {
    const state = recorded()
    const cooling = { phase: 'cooling', until: NOW + MINUTE } as const
    state.apply([
      { kind: 'put-eni', eni: eniRecord({ key: 'k2' as EniKey, id: ids('eni-2') }) },
      { kind: 'put-address', address: addressRecord(ip(3), cooling) },
    ])
    const moved = [cloudEni('eni-1'), cloudEni('eni-2', { ips: [ip(3)], primaryIp: ip(3) })]
    const { second } = twice({ state, cloud: moved })
    expect(second.changes).toMatchObject([
      { kind: 'put-address', address: { ip: ip(3), eni: KEY, ...cooling, lost: true } },
    ])
  })

  test('a ghost is its pod’s again on whichever ENI the cloud assigns it to', () => {
    const state = recorded()
    const key = 'k2' as EniKey
    state.apply([{ kind: 'put-eni', eni: eniRecord({ key, id: ids('eni-2'), primaryIp: ip(9) }) }])
    const cloud = [cloudEni('eni-1', { ips: [ip(1)] }), cloudEni('eni-2', { ips: [ip(2)], primaryIp: ip(9) })]
    const { second } = twice({ state, cloud })
    commit(state, second)
    expect(state.addresses.get(ip(2))).toMatchObject({ eni: KEY, phase: 'owned', lost: true })
    commit(state, again({ state, cloud }, second))
    expect(state.addresses.get(ip(2))).toEqual(addressRecord(ip(2), owned, { eni: key }))
  })
})

describe('prefixes of an ENI on record', () => {
  function withPrefix() {
    const state = recorded()
    state.apply([{ kind: 'put-prefix', prefix: { cidr: prefix(0), eni: KEY, since: 0, phase: 'active' } }])
    for (let i = 0; i < 16; i++) {
      const phase = i === 5 ? owned : { phase: 'warm' as const }
      state.apply([{ kind: 'put-address', address: addressRecord(inPrefix(0, i), phase, { prefix: prefix(0) }) }])
    }
    return state
  }
  const listed = cloudEni('eni-1', { ipv4Prefixes: [prefix(0)] })

  test('nothing changes when both sides agree', () => {
    expect(run({ state: withPrefix(), cloud: [listed] })).toMatchObject({ changes: [], findings: [] })
  })

  test('one that is gone is kept for what pods have of it, and comes back whole when two answers have it again', () => {
    const state = withPrefix()
    const { first: suspected, second: gone } = twice({ state, cloud: [cloudEni('eni-1')] })
    expect(suspected.changes).toEqual([])
    commit(state, gone)
    expect(gone.findings).toMatchObject([{ kind: 'ghost', fields: { prefix: prefix(0), podsCutOff: inPrefix(0, 5) } }])
    expect(state.prefixes.get(prefix(0))?.phase).toBe('lost')
    expect([...state.addresses.keys()]).toEqual([ip(1), ip(2), inPrefix(0, 5)])
    const { first, second } = twice({ state, cloud: [listed] })
    expect(first.changes).toEqual([])
    commit(state, second)
    expect(second.findings).toMatchObject([{ kind: 'regained' }])
    expect(state.prefixes.get(prefix(0))?.phase).toBe('active')
    expect(state.addresses.size).toBe(2 + 16)
    expect(state.addresses.get(inPrefix(0, 5))).toEqual(addressRecord(inPrefix(0, 5), owned, { prefix: prefix(0) }))
  })

  test('one that is gone and that no pod has anything of is dropped with its addresses', () => {
    const state = withPrefix()
    state.apply([
      { kind: 'put-address', address: addressRecord(inPrefix(0, 5), { phase: 'warm' }, { prefix: prefix(0) }) },
    ])
    commit(state, twice({ state, cloud: [cloudEni('eni-1')] }).second)
    expect(state.prefixes.size).toBe(0)
    expect([...state.addresses.keys()]).toEqual([ip(1), ip(2)])
  })

  test('one that is being given back is left to that', () => {
    const state = withPrefix()
    state.apply([{ kind: 'put-prefix', prefix: { cidr: prefix(0), eni: KEY, since: 0, phase: 'unassigning' } }])
    expect(run({ state, cloud: [cloudEni('eni-1')] }).changes).toEqual([])
  })

  test('a stranger is taken over with its addresses when it is seen twice, unless an assign brings it', () => {
    const cloud = [listed]
    const state = recorded()
    const { first, second } = twice({ state, cloud, podRoutes: new Map([[inPrefix(0, 5), LINK]]) })
    expect(first.changes).toEqual([])
    commit(state, second)
    expect(state.addresses.size).toBe(2 + 16)
    expect(state.addresses.get(inPrefix(0, 5))).toMatchObject({ phase: 'owned', prefix: prefix(0) })
    const assigning = recorded()
    const token = 't' as AssignToken
    assigning.apply([{ kind: 'put-assign', assign: { token, eni: KEY, what: 'ipv4-prefix', count: 1, since: 0 } }])
    expect(twice({ state: assigning, cloud }).second.changes).toEqual([])
  })
})

test('no ENI is looked at twice though the answer names it twice', () => {
  const { changes } = reconcile(worldOf({ cloud: [cloudEni('eni-9'), cloudEni('eni-9')], fresh: true }))
  expect(changes.filter(({ kind }) => kind === 'put-eni')).toHaveLength(1)
})
