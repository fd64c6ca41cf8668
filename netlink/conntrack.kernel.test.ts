import { closeSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseIp } from '../inet/address.ts'
import { ip, ipJson, run, TestNamespaces } from '../test/kernel/namespaces.ts'
import { sendUdp } from '../test/kernel/udp.ts'
import { deleteConntrack, forgetConntrack, listConntrack } from './conntrack.ts'
import { listenTcpInNetns } from './listener.ts'
import type { Netns } from './netns.ts'

const TCP = 6
const UDP = 17
const ICMP = 1
const ICMPV6 = 58
/** Addresses of the client and of the server; the last of the server's is translated to its first. */
const CLIENT = ['10.9.0.1', 'fd09::1'] as const
const SERVER = ['10.9.0.2', 'fd09::2'] as const
const OTHER = ['10.9.0.3', 'fd09::3'] as const
const VIRTUAL = '10.9.0.100'
/** Tracking begins with the first rule that asks for it. Port 7000 has a zone of its own. */
const RULES = `
  table inet tracking {
    chain zones {
      type filter hook prerouting priority raw;
      udp dport 7000 ct zone set 7
    }
    chain arrival {
      type filter hook input priority filter;
      ct state invalid drop
    }
    chain translation {
      type nat hook prerouting priority dstnat;
      ip daddr ${VIRTUAL} udp dport 53 dnat ip to ${SERVER[0]}:5353
    }
  }`

let spaces: TestNamespaces
let client: Netns
/** The one that tracks. */
let server: Netns

beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-ct-')
  client = spaces.create('client')
  server = spaces.create('server')
  ip(client, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', 'tw-nl-ct-server')
  for (const [netns, addresses] of [
    [client, CLIENT],
    [server, [...SERVER, ...OTHER, VIRTUAL]],
  ] as const) {
    for (const address of addresses) ip(netns, 'address', 'add', `${address}/24`, 'dev', 'eth0', 'nodad')
    ip(netns, 'link', 'set', 'eth0', 'up')
  }
  // Nobody has to be asked, so a datagram has arrived when it is sent.
  for (const [netns, peer, addresses] of [
    [client, server, [...SERVER, ...OTHER, VIRTUAL]],
    [server, client, CLIENT],
  ] as const) {
    const mac = String(ipJson(peer, 'link', 'show', 'eth0')[0]?.address)
    for (const address of addresses) ip(netns, 'neighbour', 'add', address, 'lladdr', mac, 'dev', 'eth0')
  }
  run(server, 'nft', RULES)
})

afterEach(() => spaces[Symbol.dispose]())

/** From port 5000 of the client. */
function udp(to: string, port = 6000): void {
  const from = CLIENT[to.includes(':') ? 1 : 0]
  sendUdp(client, { ip: from, port: 5000 }, { ip: to, port })
}

const list = () => listConntrack(server)
const destinations = () => list().map(({ original }) => original.destination)
const forget = (...addresses: string[]) => forgetConntrack(server, addresses.map(parseIp))

describe('the list', () => {
  test('has TCP, UDP and ICMP of both families, with what the packets have', () => {
    for (const address of SERVER) {
      udp(address)
      run(client, 'ping', '-n', '-c', '1', address)
    }
    const fd = listenTcpInNetns(server, { host: SERVER[0], port: 8000 })
    run(client, 'bash', '-c', `: <> /dev/tcp/${SERVER[0]}/8000`)
    closeSync(fd)
    const connections = list()
    expect(connections.map(({ protocol }) => protocol).sort()).toEqual([ICMP, UDP, ICMPV6, TCP, UDP].sort())
    expect(connections.find(({ family, protocol }) => family === 'ipv6' && protocol === UDP)).toMatchObject({
      original: { source: 'fd09::1', sourcePort: 5000, destination: 'fd09::2', destinationPort: 6000 },
      reply: { source: 'fd09::2', sourcePort: 6000, destination: 'fd09::1', destinationPort: 5000 },
    })
    expect(connections.find(({ protocol }) => protocol === TCP)?.original).toMatchObject({ destinationPort: 8000 })
    const flow = { source: '10.9.0.1', destination: '10.9.0.2' }
    expect(connections.find(({ protocol }) => protocol === ICMP)?.original).toEqual(flow)
    expect(listConntrack(server, { family: 'ipv6' })).toEqual(connections.filter(({ family }) => family === 'ipv6'))
  })

  test('is that of the namespace', () => {
    udp(SERVER[0])
    expect(listConntrack(client)).toEqual([])
    expect(() => listConntrack('/run/netns/tw-nl-ct-none')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  })
})

describe('an address', () => {
  test('takes its connections along, of every protocol and in both directions, and no others', async () => {
    for (const address of [...SERVER, ...OTHER]) {
      udp(address)
      run(client, 'ping', '-n', '-c', '1', address)
    }
    const fd = listenTcpInNetns(server, { host: SERVER[0], port: 8000 })
    run(client, 'bash', '-c', `: <> /dev/tcp/${SERVER[0]}/8000`)
    closeSync(fd)
    expect(await forget()).toBe(0)
    expect(await forget('10.9.0.77', 'fd09::77')).toBe(0)
    expect(await forget(SERVER[0])).toBe(3)
    expect(destinations().sort()).toEqual([OTHER[0], OTHER[0], SERVER[1], SERVER[1], OTHER[1], OTHER[1]].sort())
    expect(await forget(SERVER[1])).toBe(2)
    expect(await forget(...OTHER)).toBe(4)
    udp(SERVER[0])
    udp(SERVER[1])
    expect(await forget(...CLIENT)).toBe(2)
    expect(list()).toEqual([])
  })

  test.each([VIRTUAL, SERVER[0], CLIENT[0]])('that is translated, or the one behind it, is %s', async (address) => {
    udp(VIRTUAL, 53)
    expect(list()).toMatchObject([
      { original: { destination: VIRTUAL }, reply: { source: SERVER[0], sourcePort: 5353 } },
    ])
    expect(await forget(address)).toBe(1)
    expect(list()).toEqual([])
  })

  test('is found in zones, each connection once', async () => {
    udp(SERVER[0], 7000)
    udp(SERVER[0], 7001)
    expect(await forget(SERVER[0], CLIENT[0])).toBe(2)
    expect(list()).toEqual([])
  })

  test('is not found in bytes that only look like it', async () => {
    udp(SERVER[0])
    // The end of an attribute's header and the begin of 10.9.0.1, on either kind of machine; the ports 5000 and 6000.
    const ports = '19.136.0.0'
    expect(await forget('1.0.10.9', '0.1.10.9', ports, 'fd00::a09:1')).toBe(0)
    expect(list()).toHaveLength(1)
  })

  test('may have more connections than fit into a turn', async () => {
    for (let port = 10_000; port < 10_700; port++) udp(SERVER[0], port)
    for (let port = 10_000; port < 10_100; port++) udp(OTHER[0], port)
    expect(await forget(SERVER[0])).toBe(700)
    expect(list()).toHaveLength(100)
  })
})

test('a connection that is gone is not counted', async () => {
  for (const address of [...SERVER, ...OTHER]) udp(address)
  const all = list()
  expect(await forget(OTHER[0])).toBe(1)
  expect(deleteConntrack(server, all)).toBe(3)
  expect(deleteConntrack(server, all)).toBe(0)
})

test('a request that the kernel refuses is an error that says what it was for', () => {
  udp(SERVER[0])
  const broken = list().map((connection) => ({ ...connection, identity: Buffer.of(5, 0, 1, 0, 0, 0, 0, 0) }))
  const request = 'delete connection of protocol 17 from 10.9.0.1 port 5000 to 10.9.0.2 port 6000'
  expect(() => deleteConntrack(server, broken)).toThrow(expect.objectContaining({ request }))
  expect(list()).toHaveLength(1)
})
