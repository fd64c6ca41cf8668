import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Ip, parseIp } from '../../inet/address.ts'
import { ip, ipJson, run, TestNamespaces } from '../../test/kernel/namespaces.ts'
import { sendUdp } from '../../test/kernel/udp.ts'
import { NetlinkError, SystemCallError } from '../error.ts'
import { splitMessages } from '../message.ts'
import { MulticastSocket } from '../multicast.ts'
import type { Netns } from '../netns.ts'
import { lacksNftables, type SourceMark, SourceMarks } from './source-marks.ts'

const ENI = [0x00100000, 0x00200000, 0x0ff00000] as const
const NFNLGRP_NFTABLES = 7
const NFT_MSG_NEWGEN = 15

let spaces: TestNamespaces
let netns: Netns
let marks: SourceMarks

beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-nft-')
  netns = spaces.create('node')
  marks = new SourceMarks({ netns })
})

afterEach(() => {
  marks[Symbol.dispose]()
  spaces[Symbol.dispose]()
})

const mark = (source: string, value: number): SourceMark => ({ source: parseIp(source), mark: value })
const A = mark('10.0.0.1', ENI[0])
const B = mark('10.0.0.2', ENI[1])
const C = mark('fd00::1', ENI[0])
const D = mark('fd00::2', ENI[2])
const ALL = [A, B, C, D]
const asMap = (list: readonly SourceMark[]) => new Map(list.map(({ source, mark: value }) => [source, value]))
const many = (count: number, value: number): SourceMark[] =>
  Array.from({ length: count }, (_, index) => mark(`10.1.${index >> 8}.${index & 255}`, value))

const nft = (...args: string[]) => run(netns, 'nft', ...args)
const ruleset = () => nft('list', 'ruleset')

type NftObject = Record<string, { readonly name?: string; readonly chain?: string; elem?: unknown[] }>

/** The table as `nft` sees it; what comes in no order of meaning is sorted. */
function listed(): NftObject[] {
  const { nftables } = JSON.parse(nft('-j', 'list', 'table', 'inet', 'terway_routing')) as { nftables: NftObject[] }
  const objects = nftables.slice(1).map((object) => JSON.parse(JSON.stringify(object, withoutHandle)) as NftObject)
  const key = (object: NftObject) => Object.entries(object).map(([kind, { chain, name }]) => `${kind} ${chain ?? name}`)
  return objects.sort((a, b) => key(a).join().localeCompare(key(b).join()))
}

function withoutHandle(name: string, value: unknown): unknown {
  if (name === 'handle') return undefined
  return name === 'elem' && Array.isArray(value) ? value.map((one) => JSON.stringify(one)).sort() : value
}

describe('the table', () => {
  test('is what nft would have made', () => {
    marks.add(ALL)
    const made = listed()
    nft('flush ruleset')
    nft(`
      table inet terway_routing {
        map pods4 { type ipv4_addr : verdict; }
        map pods6 { type ipv6_addr : verdict; }
        chain mark_0x00100000 { meta mark set meta mark & 0xf00fffff | 0x00100000; }
        chain mark_0x00200000 { meta mark set meta mark & 0xf00fffff | 0x00200000; }
        chain mark_0x0ff00000 { meta mark set meta mark & 0xf00fffff | 0x0ff00000; }
        chain prerouting {
          type filter hook prerouting priority mangle; policy accept;
          ct direction reply ct status dnat return
          ip saddr vmap @pods4
          ip6 saddr vmap @pods6
        }
      }
      add element inet terway_routing pods4 { 10.0.0.1 : jump mark_0x00100000, 10.0.0.2 : jump mark_0x00200000 }
      add element inet terway_routing pods6 { fd00::1 : jump mark_0x00100000, fd00::2 : jump mark_0x0ff00000 }`)
    const written = listed()
    expect(made).toEqual(written)
    expect(marks.read()).toEqual({ problems: [], marks: asMap(ALL) })
  })

  test('comes with the first mark, and goes with the last', () => {
    expect(marks.read()).toEqual({ problems: [], marks: new Map() })
    marks.remove(ALL)
    expect(ruleset()).toBe('')
    marks.add(ALL)
    marks.add(ALL)
    expect(marks.read()).toEqual({ problems: [], marks: asMap(ALL) })
    marks.remove([A])
    expect(ruleset()).toContain('chain mark_0x00100000')
    marks.remove([A, C])
    expect(ruleset()).not.toContain('mark_0x00100000')
    expect(marks.read()).toEqual({ problems: [], marks: asMap([B, D]) })
    marks.remove([mark(B.source, ENI[0])])
    expect(marks.read().marks).toEqual(asMap([B, D]))
    marks.remove([B, D])
    expect(ruleset()).toBe('')
    expect(marks.read()).toEqual({ problems: [], marks: new Map() })
  })

  test('holds thousands, which change their mark at once', () => {
    const [before, after] = [many(5000, ENI[0]), many(5000, ENI[1])]
    marks.add(before)
    marks.add([C])
    marks.add(after)
    expect(marks.read()).toEqual({ problems: [], marks: asMap([...after, C]) })
    expect(listed()).toContainEqual({ map: expect.objectContaining({ name: 'pods4', elem: expect.any(Array) }) })
    marks.repair(before)
    expect(marks.read()).toEqual({ problems: [], marks: asMap(before) })
    marks.remove(before)
    expect(ruleset()).toBe('')
  })

  test('a mark outside of the bits for sources is refused', () => {
    for (const value of [0, 0x4000, 0x10100000, 1.5, -1, 0x1_0000_0000 + ENI[0]]) {
      expect(() => marks.add([A, { ...B, mark: value }])).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    }
    expect(ruleset()).toBe('')
  })
})

describe('conversation', () => {
  /** How many objects were told to have changed. */
  function changesOf(work: () => void): number {
    using events = new MulticastSocket({
      ...{ netns, protocol: 'netfilter', groups: [NFNLGRP_NFTABLES], receiveBuffer: 1 << 20 },
    })
    work()
    let changes = 0
    for (let datagram = events.receive(); datagram !== undefined; datagram = events.receive()) {
      if (datagram === 'overrun') throw new Error('events were lost')
      changes += splitMessages(datagram, 'event').filter(({ type }) => (type & 0xff) !== NFT_MSG_NEWGEN).length
    }
    return changes
  }

  test('about a mark that others have already is one element, and nothing is looked at', () => {
    marks.add([A, B])
    // Who looks finds this, and takes it away.
    nft('add chain inet terway_routing theirs')
    const [one, two] = [mark('10.0.0.7', ENI[0]), mark('10.0.0.8', ENI[1])]
    expect(changesOf(() => marks.add([one]))).toBe(1)
    expect(changesOf(() => marks.add([two]))).toBe(1)
    expect(changesOf(() => marks.remove([one]))).toBe(1)
    expect(changesOf(() => marks.add([{ ...two, mark: ENI[0] }]))).toBe(2)
    expect(changesOf(() => marks.remove([{ ...two, mark: ENI[0] }]))).toBe(1)
    expect(ruleset()).toContain('chain theirs')
    marks.remove([one])
    expect(ruleset()).not.toContain('chain theirs')
  })

  test('is on one socket, opened when it is needed', () => {
    const portid = marks.portid
    marks.add([A])
    marks.remove([A])
    expect(marks.portid).toBe(portid)
  })
})

type Marks = ReadonlyMap<Ip, number>
const AFTER = {
  add: (before: Marks, marks: Marks): Marks => new Map([...before, ...marks]),
  remove: (before: Marks, marks: Marks): Marks =>
    new Map([...before].filter(([source, value]) => marks.get(source) !== value)),
  repair: (_before: Marks, marks: Marks): Marks => marks,
}

describe('what others do', () => {
  const own = 'inet terway_routing'
  const REPLIES = 'ct direction reply ct status dnat return'
  const BY_SOURCE = ['ip saddr vmap @pods4', 'ip6 saddr vmap @pods6'] as const
  const baseRules = (...rules: readonly string[]) =>
    [`flush chain ${own} prerouting`, ...rules.map((rule) => `add rule ${own} prerouting ${rule}`)].join(';')
  /** Each with what is to be found. */
  const DAMAGE: readonly [what: string, problem: string, ...commands: string[]][] = [
    ['the ruleset flushed', `missing table ${own}`, 'flush ruleset'],
    ['the table switched off', `altered table ${own}`, `add table ${own} { flags dormant; }`],
    ['rules flushed', `altered rules of chain ${own} prerouting`, `flush chain ${own} prerouting`],
    [
      'a rule too many',
      `altered rules of chain ${own} prerouting`,
      `insert rule ${own} prerouting ip saddr 10.0.0.1 drop`,
    ],
    ['another policy', `altered chain ${own} prerouting`, `add chain ${own} prerouting { policy drop; }`],
    [
      'the base chain deleted',
      `missing chain ${own} prerouting`,
      `flush chain ${own} prerouting; delete chain ${own} prerouting`,
    ],
    [
      'another hook',
      `altered chain ${own} prerouting`,
      `delete chain ${own} prerouting; add chain ${own} prerouting { type filter hook prerouting priority raw; }`,
      baseRules(REPLIES, ...BY_SOURCE),
    ],
    ['no rule for replies', `altered rules of chain ${own} prerouting`, baseRules(...BY_SOURCE)],
    ['the rule for replies last', `altered rules of chain ${own} prerouting`, baseRules(...BY_SOURCE, REPLIES)],
    [
      'replies of other connections',
      `altered rules of chain ${own} prerouting`,
      baseRules('ct direction reply ct status snat return', ...BY_SOURCE),
    ],
    [
      'the other direction',
      `altered rules of chain ${own} prerouting`,
      baseRules('ct direction original ct status dnat return', ...BY_SOURCE),
    ],
    [
      'replies accepted',
      `altered rules of chain ${own} prerouting`,
      baseRules('ct direction reply ct status dnat accept', ...BY_SOURCE),
    ],
    [
      'a rule inverted',
      `altered rules of chain ${own} prerouting`,
      baseRules(REPLIES, BY_SOURCE[0], 'ip6 daddr vmap @pods6'),
    ],
    ['a map deleted', `missing map ${own} pods6`, `flush chain ${own} prerouting; delete map ${own} pods6`],
    [
      'a map of another kind',
      `altered map ${own} pods6`,
      `flush chain ${own} prerouting; delete map ${own} pods6`,
      `add map ${own} pods6 { type ipv6_addr : verdict; flags interval; }`,
    ],
    [
      'the rule of a mark flushed',
      `altered rules of chain ${own} mark_0x00100000`,
      `flush chain ${own} mark_0x00100000`,
    ],
    [
      'the rule of a mark replaced',
      `altered rules of chain ${own} mark_0x00100000`,
      `flush chain ${own} mark_0x00100000; add rule ${own} mark_0x00100000 meta mark set 0x00100000`,
    ],
    [
      'another verdict',
      `altered element ${own} pods4 { 10.0.0.1 }`,
      `delete element ${own} pods4 { 10.0.0.1 }; add element ${own} pods4 { 10.0.0.1 : drop }`,
    ],
    [
      'a verdict for all',
      `altered element ${own} pods4 { * }`,
      `add element ${own} pods4 { * : jump mark_0x00100000 }`,
    ],
    [
      'chains of their own',
      `unexpected chain ${own} theirs`,
      `add chain ${own} theirs; add chain ${own} last; add rule ${own} theirs jump last`,
      `add element ${own} pods4 { 10.0.0.99 : jump theirs }; add rule ${own} mark_0x00100000 jump theirs`,
    ],
    [
      'a chain of ours with a hook',
      `unexpected chain ${own} mark_0x00200000`,
      `delete element ${own} pods4 { 10.0.0.2 }; delete chain ${own} mark_0x00200000`,
      `add chain ${own} mark_0x00200000 { type filter hook input priority filter; }`,
    ],
  ]

  test.each(DAMAGE)('%s: found and repaired', (_what, problem, ...commands) => {
    marks.add(ALL)
    const whole = listed()
    nft(commands.join(';'))
    expect(marks.read().problems).toContain(problem)
    expect(marks.read().problems).toContain(problem)
    marks.repair(ALL)
    expect(listed()).toEqual(whole)
    expect(marks.read()).toEqual({ problems: [], marks: asMap(ALL) })
  })

  test.each(DAMAGE)('%s: the next mark makes good what it needs', (_what, _problem, ...commands) => {
    marks.add(ALL)
    nft(commands.join(';'))
    using later = new SourceMarks({ netns })
    later.add([mark('10.0.0.50', ENI[0])])
    const { problems, marks: found } = later.read()
    expect(problems).toEqual([])
    expect(found.get(parseIp('10.0.0.50'))).toBe(ENI[0])
    later.remove([...found].map(([source, value]) => ({ source, mark: value })))
    expect(ruleset()).toBe('')
  })

  test('elements that come and go', () => {
    marks.add(ALL)
    nft(`delete element ${own} pods4 { 10.0.0.1 }; add element ${own} pods4 { 10.0.0.9 : jump mark_0x00200000 }`)
    expect(marks.read()).toEqual({ problems: [], marks: asMap([B, C, D, mark('10.0.0.9', ENI[1])]) })
    marks.add([A])
    expect(marks.read().marks.get(A.source)).toBe(A.mark)
    marks.add([mark('10.0.0.9', ENI[0])])
    nft(`delete element ${own} pods4 { 10.0.0.1 }`)
    marks.remove([A, B])
    expect(marks.read()).toEqual({ problems: [], marks: asMap([C, D, mark('10.0.0.9', ENI[0])]) })
    nft('flush ruleset')
    marks.add([B])
    expect(marks.read()).toEqual({ problems: [], marks: asMap([B]) })
    nft('flush ruleset')
    marks.remove([B])
    expect(ruleset()).toBe('')
  })

  test('another object that adds meanwhile loses nothing', () => {
    using other = new SourceMarks({ netns })
    marks.add([A])
    other.add([C])
    marks.add([B])
    marks.remove([A, B])
    expect(other.read()).toEqual({ problems: [], marks: asMap([C]) })
    marks.add([D])
    other.remove([C])
    expect(marks.read().marks).toEqual(asMap([D]))
    other.remove([D])
    expect(ruleset()).toBe('')
  })

  test('the table stays as long as another object has something in it', () => {
    using other = new SourceMarks({ netns })
    marks.add([A])
    other.add([D])
    marks.remove([A])
    expect(other.read()).toEqual({ problems: [], marks: asMap([D]) })
    nft(
      `delete element ${own} pods6 { fd00::2 }; delete chain ${own} mark_0x0ff00000; add map ${own} x { type mark : verdict; }`,
    )
    other.remove([D])
    expect(ruleset()).toContain('map x')
  })

  test('a repair keeps what can stay, so that packets see one chain only', () => {
    // Those of chains begin anew in a new table.
    const handles = () => nft('-a', 'list', 'ruleset').match(/(table inet|chain prerouting).*# handle \d+/g)
    marks.add(ALL)
    const before = handles()
    nft(`flush chain ${own} prerouting; delete map ${own} pods6; add chain ${own} prerouting { policy drop; }`)
    marks.repair([A, C, { ...B, mark: ENI[2] }])
    expect(before).toHaveLength(2)
    expect(handles()).toEqual(before)
  })

  test('a table that changes while it is read is never seen half changed', async () => {
    marks.add([A])
    const move = (from: string, to: string) => `nft '
      delete element ${own} pods4 { 10.0.0.1 }; delete chain ${own} mark_${from}; add chain ${own} mark_${to};
      add rule ${own} mark_${to} meta mark set meta mark & 0xf00fffff | ${to};
      add element ${own} pods4 { 10.0.0.1 : jump mark_${to} }'`
    const script = `for i in $(seq 40); do ${move('0x00100000', '0x00200000')}; ${move('0x00200000', '0x00100000')}; done`
    const churn = spawn('ip', ['netns', 'exec', 'tw-nl-nft-node', 'sh', '-ec', script])
    const ended = once(churn, 'exit')
    const seen = new Set<string>()
    while (churn.exitCode === null) {
      seen.add(glance())
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await ended).toEqual([0, null])
    seen.delete('EINTR')
    expect([...seen].sort()).toEqual(['[[],["10.0.0.1",1048576]]', '[[],["10.0.0.1",2097152]]'])
  })

  /** Five interruptions in a row are reported. */
  function glance(): string {
    try {
      const { problems, marks: found } = marks.read()
      return JSON.stringify([problems, ...found])
    } catch (error) {
      if (error instanceof NetlinkError && error.code === 'EINTR') return error.code
      throw error
    }
  }

  test('tables of others stay as they are', () => {
    nft(
      'add table ip terway_routing; add table inet other; add chain inet other x; add chain ip terway_routing prerouting',
    )
    const before = ruleset()
    marks.add(ALL)
    marks.repair([A])
    expect(ruleset()).toContain('table ip terway_routing')
    marks.repair([])
    expect(ruleset()).toBe(before)
    marks.add(ALL)
    marks.remove(ALL)
    expect(ruleset()).toBe(before)
  })

  test('any history, with restarts between, ends with the marks that were asked for', () => {
    const sources: readonly Ip[] = ['10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::1', 'fd00::2'].map(parseIp)
    const one = fc.record({ source: fc.constantFrom(...sources), mark: fc.constantFrom(...ENI) })
    const step = fc.record({
      restart: fc.constantFrom(true, false, false, false),
      what: fc.constantFrom('add', 'remove', 'repair'),
      list: fc.array(one, { maxLength: 4 }),
    })
    const byAddress = (found: Marks) => [...found].sort()
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        marks.repair([])
        let model: Marks = new Map()
        for (const { restart, what, list } of steps) {
          if (restart) marks[Symbol.dispose]()
          if (restart) marks = new SourceMarks({ netns })
          marks[what](list)
          model = AFTER[what](model, asMap(list))
          const { problems, marks: found } = marks.read()
          expect({ problems, marks: byAddress(found) }).toEqual({ problems: [], marks: byAddress(model) })
        }
        marks.remove([...model].map(([source, value]) => ({ source, mark: value })))
      }),
      { numRuns: 60 },
    )
    expect(ruleset()).toBe('')
  })
})

describe('packets', () => {
  let client: Netns
  const FROM = { marked: '10.9.0.1', other: '10.9.0.3', marked6: 'fd09::1' } as const

  beforeEach(() => {
    client = spaces.create('client')
    ip(client, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', 'tw-nl-nft-node')
    for (const address of Object.values(FROM))
      ip(
        client,
        'address',
        'add',
        `${address}/64`.replace('.1/64', '.1/24').replace('.3/64', '.3/24'),
        'dev',
        'eth0',
        'nodad',
      )
    for (const address of ['10.9.0.2/24', 'fd09::2/64']) ip(netns, 'address', 'add', address, 'dev', 'eth0', 'nodad')
    for (const each of [client, netns]) ip(each, 'link', 'set', 'eth0', 'up')
    const mac = String(ipJson(netns, 'link', 'show', 'eth0')[0]?.address)
    // Nobody has to be asked, so a datagram has arrived when it is sent.
    for (const to of ['10.9.0.2', 'fd09::2']) ip(client, 'neighbour', 'add', to, 'lladdr', mac, 'dev', 'eth0')
  })

  const send = (from: string) =>
    sendUdp(client, { ip: from, port: 5000 }, { ip: from.includes(':') ? 'fd09::2' : '10.9.0.2', port: 6000 })

  test('get the mark of their source, beside the bits that they have', () => {
    nft(`
      table inet counting {
        chain before { type filter hook prerouting priority raw; udp dport 6000 meta mark set 0x3480c000; }
        chain after {
          type filter hook prerouting priority filter;
          udp dport != 6000 accept
          meta mark 0x3010c000 counter name marked
          meta mark 0x30f0c000 counter name marked6
          meta mark 0x3480c000 counter name plain
        }
        counter marked { }
        counter marked6 { }
        counter plain { }
      }`)
    marks.add([mark(FROM.marked, ENI[0]), mark(FROM.marked6, 0x00f00000)])
    send(FROM.marked)
    send(FROM.marked)
    send(FROM.marked6)
    send(FROM.other)
    const counter = (name: string) => nft('list', 'counter', 'inet', 'counting', name)
    expect(counter('marked')).toContain('packets 2')
    expect(counter('marked6')).toContain('packets 1')
    expect(counter('plain')).toContain('packets 1')
    marks.remove([mark(FROM.marked, ENI[0])])
    send(FROM.marked)
    expect(counter('plain')).toContain('packets 2')
  })

  test('none is lost while marks are replaced and the table repaired', async () => {
    const server = spaces.create('server')
    ip(netns, 'link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', 'tw-nl-nft-server')
    ip(server, 'address', 'add', '10.8.0.1/24', 'dev', 'eth0')
    ip(netns, 'link', 'set', 'eth1', 'up')
    ip(server, 'link', 'set', 'eth0', 'up')
    ip(server, 'route', 'add', 'default', 'via', '10.8.0.2', 'onlink', 'dev', 'eth0')
    ip(client, 'route', 'add', 'default', 'via', '10.9.0.2')
    // Answered for by the node, which has no address on that side: only the tables of the marks lead there.
    const mac = String(ipJson(netns, 'link', 'show', 'eth1')[0]?.address)
    ip(server, 'neighbour', 'add', '10.8.0.2', 'lladdr', mac, 'dev', 'eth0')
    run(
      netns,
      'sysctl',
      '-qw',
      'net.ipv4.ip_forward=1',
      'net.ipv4.conf.all.rp_filter=0',
      'net.ipv4.conf.eth0.rp_filter=0',
      'net.ipv4.conf.eth1.rp_filter=0',
    )
    for (const [table, value] of [
      ['100', ENI[0]],
      ['200', ENI[1]],
    ] as const) {
      ip(netns, 'rule', 'add', 'fwmark', `${value}/0x0ff00000`, 'lookup', table)
      ip(netns, 'route', 'add', '10.8.0.0/24', 'dev', 'eth1', 'table', table)
    }
    const ping = (...args: string[]) => run(client, 'ping', '-n', '-W', '1', ...args, '10.8.0.1')
    const [here, there] = [mark(FROM.marked, ENI[0]), mark(FROM.marked, ENI[1])]
    expect(() => ping('-c', '1')).toThrow()
    marks.add([here])
    ping('-c', '1')

    const flood = spawn('ip', [
      'netns',
      'exec',
      'tw-nl-nft-client',
      'ping',
      '-n',
      '-q',
      '-f',
      '-c',
      '20000',
      '10.8.0.1',
    ])
    const ended = once(flood, 'exit')
    const output = text(flood.stdout)
    let rounds = 0
    while (flood.exitCode === null) {
      marks.add([there, ...many(500, ENI[rounds % 2 === 0 ? 1 : 0])])
      marks.repair([there])
      nft('add chain inet terway_routing theirs; insert rule inet terway_routing prerouting jump theirs')
      marks.repair([here, ...many(100, ENI[1])])
      await new Promise((resolve) => setImmediate(resolve))
      rounds++
    }
    await ended
    expect(await output).toContain('20000 packets transmitted, 20000 received, 0% packet loss')
    expect(rounds).toBeGreaterThan(1)
  })
})

describe('failures', () => {
  test('name the object, and leave the table as it was', () => {
    marks.add([A])
    const before = ruleset()
    marks[Symbol.dispose]()
    const closed = {
      code: 'EBADF',
      request: 'add element inet terway_routing pods4 { 10.0.0.2 : jump mark_0x00100000 }',
    }
    expect(() => marks.add([mark('10.0.0.2', ENI[0])])).toThrow(expect.objectContaining(closed))
    expect(ruleset()).toBe(before)
  })

  test('of a kernel without nf_tables are told from others', () => {
    expect(lacksNftables(new NetlinkError({ errno: 95, request: 'add table' }))).toBe(true)
    expect(lacksNftables(new SystemCallError('socket', 93))).toBe(true)
    expect(lacksNftables(new NetlinkError({ errno: 1, request: 'add table' }))).toBe(false)
    expect(lacksNftables(new Error('ENOENT'))).toBe(false)
  })
})
