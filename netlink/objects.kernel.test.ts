import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseCidr, parseIp, parseMac } from '../inet/address.ts'
import { parseLinkName } from '../inet/link-name.ts'
import { until } from '../test/cluster/process.ts'
import { ip, ipJson, TestNamespaces } from '../test/kernel/namespaces.ts'
import { addAddress, deleteAddress, listAddresses } from './address.ts'
import { MessageType } from './codec.ts'
import {
  addVeth,
  deleteLink,
  deleteLinkGroup,
  getLink,
  listLinks,
  moveLink,
  renameLink,
  setLinkDown,
  setLinkGroup,
  setLinkMac,
  setLinkMtu,
  setLinkUp,
} from './link.ts'
import { addNeighbour, deleteNeighbour, listNeighbours } from './neighbour.ts'
import type { Netns } from './netns.ts'
import { addRoute, deleteRoute, listRoutes } from './route.ts'
import { addRule, deleteRule, listRules } from './rule.ts'
import { type Dumper, NetlinkSocket } from './socket.ts'

const CALI = parseLinkName('cali1')
const ETH0 = parseLinkName('eth0')
const MACS = [parseMac('02:00:00:00:00:01'), parseMac('02:00:00:00:00:02')] as const

let spaces: TestNamespaces
let host: Netns
let pod: Netns
let socket: NetlinkSocket

beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-obj-')
  host = spaces.create('host')
  pod = spaces.create('pod')
  socket = NetlinkSocket.open({ netns: host })
  socket.execute([
    addVeth({
      ...{ name: CALI, ifindex: 777, mac: MACS[0], mtu: 1400, up: true },
      peer: { name: ETH0, ifindex: 99, mac: MACS[1], mtu: 1300, netns: pod },
    }),
  ])
})

/** The kernel sees in its own time that the other end is down, and then forgets the link's neighbours. */
const noCarrier = () =>
  until(() => (getLink(socket, CALI)?.running === false ? true : undefined), { what: 'the carrier to be lost' })

afterEach(() => {
  socket.close()
  spaces[Symbol.dispose]()
})

const codes = (...requests: Parameters<NetlinkSocket['request']>[0]) =>
  socket.request(requests).map(({ error }) => error?.code)

describe('links', () => {
  test('a veth has the names, indexes, addresses and sizes that were asked for, on both sides', async () => {
    const [cali] = ipJson(host, 'link', 'show', CALI)
    expect(cali).toMatchObject({ ifindex: 777, address: MACS[0], mtu: 1400, flags: expect.arrayContaining(['UP']) })
    expect(cali).toMatchObject({ linkinfo: { info_kind: 'veth' }, link_index: 99, link_netnsid: 0 })
    const [eth0] = ipJson(pod, 'link', 'show', ETH0)
    expect(eth0).toMatchObject({ ifindex: 99, address: MACS[1], mtu: 1300, link_index: 777 })
    expect(eth0?.flags).not.toContain('UP')
    await noCarrier()
    expect(getLink(socket, CALI)).toEqual({
      ...{ ifindex: 777, name: 'cali1', kind: 'veth', mac: MACS[0], mtu: 1400, up: true, running: false, group: 0 },
      ...{ peerIfindex: 99, peerNetnsId: 0 },
    })
  })

  test('without a namespace or indexes both ends are here and the kernel counts', () => {
    socket.execute([addVeth({ name: parseLinkName('a'), peer: { name: parseLinkName('b') } })])
    const [a, b] = ['a', 'b'].map((name) => getLink(socket, parseLinkName(name)))
    expect(a?.peerIfindex).toBe(b?.ifindex)
    expect(a?.peerNetnsId).toBeUndefined()
    expect(a?.up).toBe(false)
  })

  test('are listed as ip lists them', () => {
    const listed = listLinks(socket).map(({ ifindex, name, mtu, mac }) => ({
      ifindex,
      ifname: name,
      mtu,
      address: mac,
    }))
    const expected = ipJson(host, 'link').map(({ ifindex, ifname, mtu, address }) => ({
      ifindex,
      ifname,
      mtu,
      address,
    }))
    expect(listed).toEqual(expected)
    expect([getLink(socket, 777)?.name, getLink(socket, 778), getLink(socket, ETH0)]).toEqual([
      CALI,
      undefined,
      undefined,
    ])
  })

  test('change state, size, address, group, name and namespace', () => {
    const moved = parseLinkName('moved')
    socket.execute([setLinkDown(777), setLinkMtu(777, 1280), setLinkMac(777, MACS[1]), setLinkGroup(777, 0xfffffff0)])
    expect(getLink(socket, 777)).toMatchObject({ up: false, mtu: 1280, mac: MACS[1], group: 0xfffffff0 })
    expect(ipJson(host, 'link', 'show', CALI)[0]).toMatchObject({ mtu: 1280, address: MACS[1] })
    socket.execute([renameLink(777, parseLinkName('other')), setLinkUp(777)])
    expect(ipJson(host, 'link', 'show', 'other')[0]).toMatchObject({
      ifindex: 777,
      flags: expect.arrayContaining(['UP']),
    })
    socket.execute([moveLink(777, pod, moved)])
    expect(ipJson(pod, 'link', 'show', moved)[0]).toMatchObject({ address: MACS[1] })
    expect(getLink(socket, 777)).toBeUndefined()
  })

  test('are deleted one by one and by group', () => {
    for (const name of ['x', 'y']) {
      socket.execute([addVeth({ name: parseLinkName(name), peer: { name: parseLinkName(`${name}p`) } })])
      socket.execute([setLinkGroup(getLink(socket, parseLinkName(name))?.ifindex ?? 0, 4242)])
    }
    expect(codes(deleteLinkGroup(4242), deleteLinkGroup(4242), deleteLinkGroup(0))).toEqual([
      undefined,
      'ENODEV',
      'EPERM',
    ])
    expect(ipJson(host, 'link').map(({ ifname }) => ifname)).toEqual(['lo', 'cali1'])
    expect(codes(deleteLink(777), deleteLink(777))).toEqual([undefined, 'ENODEV'])
    expect(ipJson(pod, 'link').map(({ ifname }) => ifname)).toEqual(['lo'])
  })

  test('a taken name on either side makes nothing', () => {
    const veth = (name: string, peer: string, ifindex?: number) =>
      addVeth({
        name: parseLinkName(name),
        ...(ifindex === undefined ? {} : { ifindex }),
        peer: { name: parseLinkName(peer), netns: pod },
      })
    expect(codes(veth('cali1', 'new'), veth('new', 'eth0'), veth('new', 'new', 777))).toEqual(Array(3).fill('EEXIST'))
    expect([ipJson(host, 'link'), ipJson(pod, 'link')].map((links) => links.length)).toEqual([2, 2])
  })
})

describe('addresses', () => {
  const four = { ifindex: 777, address: parseIp('10.0.1.7'), prefixLength: 24 }
  const six = { ifindex: 777, address: parseIp('fd00::7'), prefixLength: 64 }

  test('are added, replaced, listed and deleted', () => {
    socket.execute([addAddress({ ...four, scope: 'link' }), addAddress(four), addAddress({ ...four, scope: 'link' })])
    socket.execute([addAddress(six), addAddress(six)])
    const info = ipJson(host, 'addr', 'show', 'dev', CALI).flatMap(({ addr_info }) => addr_info as object[])
    expect(info).toContainEqual(expect.objectContaining({ family: 'inet', local: '10.0.1.7', prefixlen: 24 }))
    expect(info).toContainEqual(expect.objectContaining({ family: 'inet6', local: 'fd00::7', prefixlen: 64 }))
    expect(JSON.stringify(info).split('10.0.1.7')).toHaveLength(2)
    const listed = listAddresses(socket, { ifindex: 777 })
    expect(listed).toContainEqual(expect.objectContaining({ ...four, family: 'ipv4', permanent: true, label: 'cali1' }))
    expect(listed).toContainEqual(expect.objectContaining({ ...six, family: 'ipv6', tentative: false }))
    expect(listAddresses(socket, { family: 'ipv4' })).toHaveLength(1)
    expect(codes(deleteAddress(four), deleteAddress(four), deleteAddress(six))).toEqual([
      undefined,
      'EADDRNOTAVAIL',
      undefined,
    ])
  })

  test('on a link that is gone', () => {
    expect(codes(addAddress({ ...four, ifindex: 5 }), deleteAddress({ ...six, ifindex: 5 }))).toEqual([
      'ENODEV',
      'ENODEV',
    ])
    expect(() => listAddresses(socket, { ifindex: 5 })).toThrow(expect.objectContaining({ code: 'ENODEV' }))
  })

  test('on a point-to-point link the local one is listed', () => {
    ip(host, 'addr', 'add', '10.9.0.1', 'peer', '10.9.0.2', 'dev', CALI)
    expect(listAddresses(socket, { ifindex: 777, family: 'ipv4' })[0]?.address).toBe('10.9.0.1')
  })
})

describe('routes', () => {
  const route = { ifindex: 777, destination: parseCidr('10.0.1.7/32') }

  test.each([
    ['to a link', { ...route, scope: 'link' }, '10.0.1.7', { dst: '10.0.1.7', dev: 'cali1', scope: 'link' }],
    ['in a large table', { ...route, table: 1777 }, '10.0.1.7', { dst: '10.0.1.7', table: '1777' }],
    [
      'default, gateway on link',
      { ifindex: 777, destination: parseCidr('0.0.0.0/0'), gateway: parseIp('169.254.1.1'), onlink: true, table: 1777 },
      'default',
      { dst: 'default', gateway: '169.254.1.1', flags: expect.arrayContaining(['onlink']) },
    ],
    [
      'with metric and source',
      { ...route, priority: 7, preferredSource: parseIp('127.0.0.1') },
      '10.0.1.7',
      { metric: 7, prefsrc: '127.0.0.1' },
    ],
  ] as const)('IPv4 %s', (_, spec, dst, expected) => {
    ip(host, 'link', 'set', 'lo', 'up')
    socket.execute([addRoute(spec), addRoute(spec)])
    const table = 'table' in spec ? spec.table : 254
    const found = ipJson(host, 'route', 'show', 'table', 'all').filter(
      (entry) => entry.dst === dst && entry.dev === CALI,
    )
    expect(found).toEqual([expect.objectContaining(expected)])
    const { preferredSource, scope = 'global', ...rest } = { preferredSource: undefined, scope: undefined, ...spec }
    expect(listRoutes(socket, { family: 'ipv4', table })).toEqual([
      expect.objectContaining({ ...rest, scope, ...(preferredSource === undefined ? {} : { preferredSource }) }),
    ])
    expect(codes(deleteRoute({ ...spec }), deleteRoute({ ...spec }))).toEqual([undefined, 'ESRCH'])
  })

  test('IPv6', () => {
    const spec = {
      ifindex: 777,
      destination: parseCidr('::/0'),
      gateway: parseIp('fe80::1'),
      onlink: true,
      table: 1777,
    }
    socket.execute([addRoute(spec), addRoute({ ...spec, gateway: parseIp('fe80::2') })])
    expect(ipJson(host, '-6', 'route', 'show', 'table', '1777')).toEqual([
      expect.objectContaining({ dst: 'default', gateway: 'fe80::2', dev: 'cali1' }),
    ])
    expect(listRoutes(socket, { family: 'ipv6', table: 1777 })).toEqual([
      expect.objectContaining({ destination: '::/0', gateway: 'fe80::2', ifindex: 777, table: 1777 }),
    ])
    expect(codes(deleteRoute({ destination: spec.destination, table: 1777 }), deleteRoute(spec))).toEqual([
      undefined,
      'ESRCH',
    ])
  })

  test('of every table, of kinds we do not make, and of a table that does not exist', () => {
    ip(host, 'link', 'set', 'lo', 'up')
    ip(host, 'route', 'add', 'blackhole', '10.5.0.0/16', 'table', '9')
    ip(host, 'route', 'add', '10.6.0.0/16', 'nexthop', 'dev', 'lo', 'nexthop', 'dev', CALI)
    const all = listRoutes(socket, { family: 'ipv4' })
    expect(all).toHaveLength(
      ipJson(host, 'route', 'show', 'table', 'all').filter(({ dst }) => !`${dst}`.includes(':')).length,
    )
    expect(all).toContainEqual(expect.objectContaining({ type: 'blackhole', destination: '10.5.0.0/16', table: 9 }))
    expect(all).toContainEqual(expect.objectContaining({ type: 'local', destination: '127.0.0.1/32', table: 255 }))
    expect(all.find(({ destination }) => destination === '10.6.0.0/16')?.ifindex).toBeUndefined()
    expect(listRoutes(socket, { family: 'ipv4', table: 12345 })).toEqual([])
    expect(listRoutes(socket, { family: 'ipv6', table: 12345 })).toEqual([])
  })
})

test('what is listed is what was asked for, also when a kernel without strict checking lists more', () => {
  ip(host, 'link', 'set', 'lo', 'up')
  const neighbour = { address: parseIp('10.0.0.9'), mac: MACS[0] }
  for (const ifindex of [1, 777]) {
    socket.execute([
      addAddress({ ifindex, address: parseIp(`10.0.${ifindex & 255}.7`), prefixLength: 32 }),
      addNeighbour({ ...neighbour, ifindex }),
      addRoute({ ifindex, destination: parseCidr('10.7.0.0/16'), table: 1000 + ifindex }),
    ])
  }
  /** As before 4.20: everything is listed, whatever the request says. */
  const old: Dumper = {
    dump(request) {
      const { length } = request.payload
      const kind = request.type === MessageType.GETADDR ? 8 : 12
      const payload = Buffer.alloc(Math.min(length, kind))
      request.payload.copy(payload, 0, 0, 1)
      return socket.dump({ ...request, payload })
    },
  }
  const all = { addresses: listAddresses(old), neighbours: listNeighbours(old) }
  expect(new Set(all.addresses.map(({ ifindex }) => ifindex))).toEqual(new Set([1, 777]))
  expect(new Set(all.neighbours.map(({ ifindex }) => ifindex))).toEqual(new Set([1, 777]))
  expect(listAddresses(old, { ifindex: 777 })).toEqual(listAddresses(socket, { ifindex: 777 }))
  expect(listNeighbours(old, { ifindex: 777 })).toEqual(listNeighbours(socket, { ifindex: 777 }))
  expect(listRoutes(old, { family: 'ipv4' }).length).toBeGreaterThan(2)
  const table = { family: 'ipv4', table: 1777 } as const
  expect(listRoutes(old, table)).toEqual(listRoutes(socket, table))
  expect(listRoutes(old, table)).toHaveLength(1)
})

describe('rules', () => {
  const rules = [
    { family: 'ipv4', priority: 512, destination: parseCidr('10.0.1.7/32'), table: 254 },
    { family: 'ipv4', priority: 2048, source: parseCidr('10.0.1.0/24'), inputDevice: CALI, table: 1070 },
    { family: 'ipv4', priority: 2049, outputDevice: CALI, mark: { value: 0x10, mask: 0xf0 }, table: 1071 },
    { family: 'ipv6', priority: 512, destination: parseCidr('fd00::7/128'), table: 254 },
  ] as const

  test('are added once, listed and deleted', () => {
    socket.execute(rules.map(addRule))
    expect(codes(...rules.map(addRule))).toEqual(Array(4).fill('EEXIST'))
    expect(ipJson(host, 'rule').filter(({ priority }) => Number(priority) > 0 && Number(priority) < 9999)).toEqual([
      expect.objectContaining({ priority: 512, src: 'all', dst: '10.0.1.7', table: 'main' }),
      expect.objectContaining({ priority: 2048, src: '10.0.1.0', srclen: 24, iif: 'cali1', table: '1070' }),
      expect.objectContaining({ priority: 2049, oif: 'cali1', fwmark: '0x10', fwmask: '0xf0', table: '1071' }),
    ])
    expect(ipJson(host, '-6', 'rule')).toContainEqual(expect.objectContaining({ priority: 512, dst: 'fd00::7' }))
    const listed = [...listRules(socket, { family: 'ipv4' }), ...listRules(socket, { family: 'ipv6' })]
    for (const rule of rules) expect(listed).toContainEqual({ ...rule, action: 1, special: false })
    expect(codes(...rules.map(deleteRule))).toEqual(Array(4).fill(undefined))
    expect(codes(...rules.map(deleteRule))).toEqual(Array(4).fill('ENOENT'))
  })

  test.each([
    ['inverted', ['not', 'from', '10.0.0.1', 'table', '9']],
    ['suppressing', ['table', '9', 'suppress_prefixlength', '0']],
    ['by port', ['dport', '53', 'ipproto', 'udp', 'table', '9']],
    ['by type of service', ['tos', '0x10', 'table', '9']],
  ])('a rule %s is not mistaken for a plain one', (_, words) => {
    ip(host, 'rule', 'add', 'prio', '77', ...words)
    expect(listRules(socket, { family: 'ipv4' }).find(({ priority }) => priority === 77)?.special).toBe(true)
  })
})

describe('neighbours', () => {
  test.each(['169.254.1.1', 'fe80::1'])('%s is added, replaced, listed and deleted', (text) => {
    const neighbour = { ifindex: 777, address: parseIp(text), mac: MACS[0] }
    socket.execute([addNeighbour({ ...neighbour, mac: MACS[1] }), addNeighbour(neighbour)])
    expect(ipJson(host, 'neigh', 'show', 'nud', 'permanent')).toEqual([
      expect.objectContaining({ dst: text, dev: 'cali1', lladdr: MACS[0], state: ['PERMANENT'] }),
    ])
    const family = text.includes(':') ? 'ipv6' : 'ipv4'
    expect(listNeighbours(socket, { ifindex: 777, family })).toEqual([{ ...neighbour, family, state: 'permanent' }])
    expect(listNeighbours(socket).map(({ address }) => address)).toContain(text)
    expect(codes(deleteNeighbour(neighbour), deleteNeighbour(neighbour))).toEqual([undefined, 'ENOENT'])
    expect(codes(addNeighbour({ ...neighbour, ifindex: 5 }))).toEqual(['ENODEV'])
  })

  test('one that is being looked for has no MAC', async () => {
    await noCarrier()
    ip(host, 'neigh', 'add', '10.0.0.9', 'dev', CALI, 'nud', 'none')
    expect(listNeighbours(socket, { ifindex: 777, family: 'ipv4' })[0]).toEqual({
      ...{ ifindex: 777, family: 'ipv4', address: '10.0.0.9', state: 'none' },
    })
  })
})
