import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseCidr, parseMac } from '../inet/address.ts'
import { parseLinkName } from '../inet/link-name.ts'
import { ip, run, TestNamespaces } from '../test/kernel/namespaces.ts'
import { addFilter, deleteFilter, type FilterPlace, filterDeviation, findFilter, listFilters } from './filter.ts'
import { addVeth } from './link.ts'
import type { Netns } from './netns.ts'
import type { DeviceRef, FilterSpec } from './plan.ts'
import { addQdisc } from './qdisc.ts'
import { NetlinkSocket } from './socket.ts'
import { tbfOf } from './tbf.ts'
import { CLSACT_PARENTS } from './tc-message.ts'
import { isAbsent } from './tc-support.ts'

const device = (name: string, ifindex: number): DeviceRef => ({ netns: 'host', name: parseLinkName(name), ifindex })
const CALI = device('cali1', 777)
const IFB = device('ifb1', 88)
const OTHER = device('ifb2', 89)
const PLACE: FilterPlace = { ifindex: CALI.ifindex, indexOf: ({ ifindex }) => ifindex }

const BASE = { device: CALI, direction: 'ingress', priority: 7 } as const
const toDevice = (to: DeviceRef): FilterSpec['actions'] => [{ kind: 'redirect', to, direction: 'egress' }]
const ALL: FilterSpec = { ...BASE, protocol: 'all', actions: toDevice(IFB) }
const IPV4: FilterSpec = { ...BASE, protocol: 'ipv4', source: parseCidr('10.0.1.7/32'), actions: toDevice(IFB) }
const IPV6: FilterSpec = {
  ...{ ...BASE, protocol: 'ipv6', actions: toDevice(IFB) },
  ...{ source: parseCidr('fd00::7/128'), destination: parseCidr('fd00::/40') },
}

let spaces: TestNamespaces
let host: Netns
let pod: Netns
let socket: NetlinkSocket

beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-filter-')
  host = spaces.create('host')
  pod = spaces.create('pod')
  socket = NetlinkSocket.open({ netns: host })
  const mac = parseMac('02:00:00:00:00:01')
  socket.execute([
    addVeth({ ...CALI, mac, up: true, peer: { name: parseLinkName('eth0'), ifindex: 99, netns: pod } }),
    addQdisc({ kind: 'clsact', device: CALI }, CALI.ifindex),
  ])
  ip(pod, 'link', 'set', 'eth0', 'up')
  for (const { name, ifindex } of [IFB, OTHER]) {
    ip(host, 'link', 'add', name, 'index', String(ifindex), 'type', 'ifb')
    ip(host, 'link', 'set', name, 'up')
  }
})

afterEach(() => {
  socket.close()
  spaces[Symbol.dispose]()
})

/** As tc shows them: the lines of each but for its statistics. */
const shown = (direction: 'ingress' | 'egress' = 'ingress') =>
  run(host, 'tc', 'filter', 'show', 'dev', CALI.name, direction)
const found = (spec: FilterSpec = ALL) =>
  listFilters(socket, {
    ifindex: CALI.ifindex,
    parent: CLSACT_PARENTS[spec.direction === 'egress' ? 'egress' : 'ingress'],
  })
const deviation = (spec: FilterSpec) => filterDeviation(spec, PLACE, found(spec))
const codes = (...requests: Parameters<NetlinkSocket['request']>[0]) =>
  socket.request(requests).map(({ error }) => error?.code)

/** @throws Error when there is none. */
function theFilter(spec: FilterSpec) {
  const filter = findFilter(spec, PLACE, found(spec))
  if (filter === undefined) throw new Error(`no filter ${JSON.stringify(spec)}`)
  return filter
}

describe('a filter', () => {
  test.each<[string, FilterSpec, string[]]>([
    ['of everything', ALL, ['protocol all', 'match 00000000/00000000 at 0']],
    ['by IPv4 source', IPV4, ['protocol ip ', 'match 0a000107/ffffffff at 12']],
    [
      'by IPv4 destination, on the way out',
      { ...BASE, direction: 'egress', protocol: 'ipv4', destination: parseCidr('10.0.0.0/12'), actions: toDevice(IFB) },
      ['protocol ip ', 'match 0a000000/fff00000 at 16'],
    ],
    [
      'by IPv6 source and destination',
      IPV6,
      [
        'protocol ipv6',
        ...['fd000000/ffffffff at 8', '00000000/ffffffff at 12', '00000000/ffffffff at 16', '00000007/ffffffff at 20'],
        ...['fd000000/ffffffff at 24', '00000000/ff000000 at 28'],
      ],
    ],
    ['of tagged packets', { ...ALL, protocol: '802.1Q' }, ['protocol 802.1Q']],
  ])('%s is added, found, listed as tc lists it, and deleted', (_, spec, words) => {
    expect(deviation(spec)).toBe('missing')
    expect(codes(addFilter(spec, PLACE))).toEqual([undefined])
    for (const word of ['pref 7 u32', ' terminal ', 'mirred (Egress Redirect to device ifb1) stolen', ...words]) {
      expect(shown(spec.direction === 'egress' ? 'egress' : 'ingress')).toContain(word)
    }
    expect(deviation(spec)).toBeUndefined()
    const parent = CLSACT_PARENTS[spec.direction === 'egress' ? 'egress' : 'ingress']
    expect(theFilter(spec)).toMatchObject({
      ...{ ifindex: 777, parent, priority: 7, kind: 'u32', special: false },
      actions: [{ kind: 'redirect', ifindex: IFB.ifindex, direction: 'egress' }],
    })
    expect(codes(deleteFilter(theFilter(spec)))).toEqual([undefined])
    expect(deviation(spec)).toBe('missing')
    expect(shown()).toBe('')
  })

  test.each<[string, FilterSpec]>([
    ['IPv4 source', IPV4],
    ['IPv6 source and destination', IPV6],
  ])('of tc by %s is the same', (_, spec) => {
    const family = spec.protocol === 'ipv6' ? 'ip6' : 'ip'
    const matches = [
      ...(spec.source === undefined ? [] : ['match', family, 'src', spec.source]),
      ...(spec.destination === undefined ? [] : ['match', family, 'dst', spec.destination]),
    ]
    const how = ['ingress', 'prio', '7', 'protocol', family === 'ip' ? 'ip' : 'ipv6', 'u32', ...matches]
    run(host, 'tc', 'filter', 'add', 'dev', CALI.name, ...how, 'action', 'mirred', 'egress', 'redirect', 'dev', 'ifb1')
    expect(deviation(spec)).toBeUndefined()
  })

  test('with another target is different, and says what it is', () => {
    socket.execute([addFilter(IPV4, PLACE)])
    expect(deviation({ ...IPV4, actions: toDevice(OTHER) })).toBe(
      'parent ffff:fff2 pref 7 u32 action mirred egress redirect dev if88',
    )
    const ingress: FilterSpec['actions'] = [{ kind: 'redirect', to: IFB, direction: 'ingress' }]
    expect(deviation({ ...IPV4, actions: ingress })).toContain('egress redirect')
  })

  test.each<[string, FilterSpec]>([
    ['priority', { ...IPV4, priority: 8 }],
    ['protocol', { ...IPV4, protocol: 'all' }],
    ['direction', { ...IPV4, direction: 'egress', priority: 8 }],
    ['length of the source', { ...IPV4, source: parseCidr('10.0.1.6/31') }],
    ['address as destination', { ...BASE, protocol: 'ipv4', destination: parseCidr('10.0.1.7/32'), actions: [] }],
  ])('of another %s is another', (_, spec) => {
    socket.execute([addFilter(IPV4, PLACE)])
    expect(deviation(spec)).toBe('missing')
  })

  test.each([
    ['mirrors', ['action', 'mirred', 'egress', 'mirror', 'dev', 'ifb1'], 'action mirred 2 88 verdict 3'],
    ['is of a class', ['flowid', '1:2', 'action', 'mirred', 'egress', 'redirect', 'dev', 'ifb1'], 'flowid 1:2'],
    ['does nothing', [], 'u32'],
  ])('of a stranger that %s is different', (_, words, text) => {
    const match = ['u32', 'match', 'ip', 'src', '10.0.1.7/32', ...words]
    // Without a class or an action tc makes it go on to the next one, which is no terminal filter.
    if (words.length === 0) match.push('flowid', '1:0')
    run(host, 'tc', 'filter', 'add', 'dev', CALI.name, 'ingress', 'prio', '7', 'protocol', 'ip', ...match)
    expect(deviation(IPV4)).toContain(text)
  })

  test.each([
    ['in a table of its own', ['ht', '5:', 'match', 'ip', 'src', '10.0.1.7/32', 'flowid', '1:1']],
    ['of a device that packets came from', ['match', 'ip', 'src', '10.0.1.7/32', 'indev', 'ifb1', 'flowid', '1:1']],
  ])('of a stranger, %s, is not taken for one of the same keys', (_, words) => {
    const filter = ['tc', 'filter', 'add', 'dev', CALI.name, 'ingress', 'prio', '7', 'protocol', 'ip'] as const
    if (words[0] === 'ht') run(host, ...filter, 'handle', '5:', 'u32', 'divisor', '1')
    run(host, ...filter, 'u32', ...words)
    expect(found().map(({ special }) => special)).toEqual([true])
    expect(deviation(IPV4)).toBe('missing')
  })
})

describe('filters', () => {
  const sources = ['10.0.1.7/32', '10.0.1.8/32', '10.0.1.9/32'].map((source) => ({
    ...IPV4,
    source: parseCidr(source),
  }))

  test('of a priority stay as one of them goes, to the last', () => {
    socket.execute(sources.map((spec) => addFilter(spec, PLACE)))
    const [first, second, third] = sources
    if (first === undefined || second === undefined || third === undefined) throw new Error('three are needed')
    const gone = theFilter(second)
    expect(codes(deleteFilter(gone))).toEqual([undefined])
    expect(sources.map(deviation)).toEqual([undefined, 'missing', undefined])
    expect(codes(deleteFilter(gone))).toEqual(['ENOENT'])
    socket.execute([deleteFilter(theFilter(first)), deleteFilter(theFilter(third))])
    expect(shown()).toBe('')
    const [ack] = socket.request([deleteFilter(gone)])
    expect(ack?.error !== undefined && isAbsent(ack.error)).toBe(true)
  })

  test('that are the same are found in the order of packets, the first first', () => {
    socket.execute([addFilter(IPV4, PLACE), addFilter({ ...IPV4, actions: toDevice(OTHER) }, PLACE)])
    expect(found()).toHaveLength(2)
    expect(deviation(IPV4)).toBeUndefined()
    socket.execute([deleteFilter(theFilter(IPV4))])
    expect(deviation(IPV4)).toContain('dev if89')
  })

  test('of one priority are asked for alone', () => {
    socket.execute([addFilter(IPV4, PLACE), addFilter({ ...IPV6, priority: 8 }, PLACE)])
    const list = (priority: number) => listFilters(socket, { ifindex: 777, parent: CLSACT_PARENTS.ingress, priority })
    expect([0, 7, 8, 9].map((priority) => list(priority).map((filter) => filter.priority))).toEqual([
      [7, 8],
      [7],
      [8],
      [],
    ])
  })

  test('of other chains and kinds are told apart', () => {
    const add = (...words: string[]) => run(host, 'tc', 'filter', 'add', 'dev', CALI.name, 'ingress', ...words)
    add('chain', '5', 'prio', '7', 'protocol', 'ip', 'u32', 'match', 'ip', 'src', '10.0.1.7/32', 'flowid', '1:1')
    add('prio', '9', 'protocol', 'all', 'bpf', 'bytecode', '1,6 0 0 0', 'flowid', '1:1')
    expect(found()).toEqual([expect.objectContaining({ kind: 'bpf', special: true, keys: [], priority: 9 })])
    expect(deviation(IPV4)).toBe('missing')
  })

  // The reason why a priority must serve one direction only.
  test('of a priority in both directions are listed in each, by the kernel', () => {
    const out: FilterSpec = { ...IPV4, direction: 'egress', actions: toDevice(OTHER) }
    socket.execute([addFilter(IPV4, PLACE), addFilter({ ...out, priority: 8 }, PLACE)])
    expect([found(IPV4), found(out)].map(({ length }) => length)).toEqual([1, 1])
    socket.execute([addFilter(out, PLACE)])
    expect([found(IPV4), found(out)].map(({ length }) => length)).toEqual([2, 3])
  })

  test('need a place, and a priority of their protocol', () => {
    socket.execute([addFilter(IPV4, PLACE)])
    const noPlace = { ...PLACE, ifindex: IFB.ifindex }
    expect(codes(addFilter(ALL, PLACE), addFilter(ALL, noPlace))).toEqual(['EINVAL', 'EINVAL'])
    expect(codes(addFilter(ALL, { ...PLACE, ifindex: 5 }))).toEqual(['ENODEV'])
    expect(codes(addFilter({ ...ALL, priority: 8 }, { ...PLACE, indexOf: () => 5 }))).toEqual(['ENODEV'])
    expect(listFilters(socket, { ifindex: IFB.ifindex, parent: CLSACT_PARENTS.ingress })).toEqual([])
    expect(listFilters(socket, { ifindex: 5, parent: CLSACT_PARENTS.ingress })).toEqual([])
  })
})

test('packets from the pod pass the ifb, wait in its tbf, and go on', () => {
  ip(host, 'addr', 'add', '10.0.1.1/24', 'dev', CALI.name)
  ip(pod, 'addr', 'add', '10.0.1.7/24', 'dev', 'eth0')
  for (const [netns, link] of [[host, CALI.name] as const, [pod, 'eth0'] as const]) {
    run(netns, 'sysctl', '-qw', `net.ipv6.conf.${link}.disable_ipv6=1`)
  }
  const tbf = { kind: 'tbf', device: IFB, ...tbfOf({ rate: 1e6 }, 1500) } as const
  socket.execute([addQdisc(tbf, IFB.ifindex), addFilter(IPV4, PLACE)])
  expect(run(pod, 'ping', '-c', '1', '-W', '2', '10.0.1.1')).toContain('1 received')
  const [qdisc] = JSON.parse(run(host, 'tc', '-j', '-s', 'qdisc', 'show', 'dev', IFB.name))
  // Only the echo request: what resolves the address is not IPv4, and the reply goes the other way.
  expect(qdisc).toMatchObject({ kind: 'tbf', packets: 1, drops: 0, backlog: 0 })
})
