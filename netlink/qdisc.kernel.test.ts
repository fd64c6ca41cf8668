import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseMac } from '../inet/address.ts'
import { parseLinkName } from '../inet/link-name.ts'
import { ip, run, TestNamespaces } from '../test/kernel/namespaces.ts'
import { sendUdp } from '../test/kernel/udp.ts'
import { addVeth } from './link.ts'
import type { Netns } from './netns.ts'
import type { ClsactSpec, DeviceRef, TbfSpec } from './plan.ts'
import { addQdisc, deleteQdisc, listQdiscs } from './qdisc.ts'
import { qdiscDeviation } from './qdisc-deviation.ts'
import { NetlinkSocket } from './socket.ts'
import { tbfOf } from './tbf.ts'
import { isAbsent } from './tc-support.ts'

const DEVICE: DeviceRef = { netns: 'host', name: parseLinkName('cali1'), ifindex: 777 }
const TBF: TbfSpec = { kind: 'tbf', device: DEVICE, ...tbfOf({ rate: 12_500_000 }, 1500) }
const CLSACT: ClsactSpec = { kind: 'clsact', device: DEVICE }

let spaces: TestNamespaces
let host: Netns
let socket: NetlinkSocket

beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-qdisc-')
  host = spaces.create('host')
  const pod = spaces.create('pod')
  socket = NetlinkSocket.open({ netns: host })
  const mac = parseMac('02:00:00:00:00:01')
  socket.execute([
    addVeth({ ...DEVICE, mac, up: true, peer: { name: parseLinkName('eth0'), ifindex: 99, netns: pod } }),
  ])
  ip(pod, 'link', 'set', 'eth0', 'up')
})

afterEach(() => {
  socket.close()
  spaces[Symbol.dispose]()
})

const tc = (...args: string[]) => run(host, 'tc', ...args)
const shown = (...args: string[]) => JSON.parse(tc('-j', ...args, 'qdisc', 'show', 'dev', DEVICE.name))
const found = () => listQdiscs(socket, { ifindex: DEVICE.ifindex })
const errors = (...requests: Parameters<NetlinkSocket['request']>[0]) =>
  socket.request(requests).map(({ error }) => error)
const codes = (...requests: Parameters<NetlinkSocket['request']>[0]) => errors(...requests).map((error) => error?.code)

describe('tbf', () => {
  test.each([
    ['slow', { rate: 125 }],
    ['of 100 Mbit/s', { rate: 12_500_000 }],
    ['of 100 Mbit/s with a burst', { rate: 12_500_000, burst: 268_435_455 }],
    ['of a prime', { rate: 99_999_989 }],
    ['above 32 bits', { rate: 12_500_000_000 }],
  ])('%s is added, replaced, listed and deleted', (_, wanted) => {
    const spec: TbfSpec = { ...TBF, ...tbfOf(wanted, 1500) }
    expect(qdiscDeviation(spec, found())).toBe('missing')
    expect(codes(addQdisc(TBF, 777), addQdisc(spec, 777), addQdisc(spec, 777))).toEqual(Array(3).fill(undefined))
    const [{ options, ...qdisc }] = shown()
    expect(qdisc).toMatchObject({ kind: 'tbf', handle: '1:', root: true })
    expect(options).toMatchObject({ rate: spec.rate })
    expect(found()).toHaveLength(1)
    expect(qdiscDeviation(spec, found())).toBeUndefined()
    for (const change of [{ rate: spec.rate + 1 }, { limit: spec.limit + 1 }, { burst: 2 * spec.burst }]) {
      expect(qdiscDeviation({ ...spec, ...change }, found())).toContain(`tbf 1: root rate ${spec.rate}bps burst`)
    }
    expect(codes(deleteQdisc(spec, 777))).toEqual([undefined])
    expect(shown()).toEqual([expect.objectContaining({ kind: 'noqueue', handle: '0:' })])
    expect(qdiscDeviation(spec, found())).toBe('missing')
  })

  test('has the parameters that tc shows of its own', () => {
    tc('qdisc', 'replace', 'dev', DEVICE.name, 'root', 'tbf', 'rate', '100mbit', 'burst', '65536', 'limit', '378036')
    expect(qdiscDeviation(TBF, found())).toBeUndefined()
    const ofTc = shown()[0].options
    socket.execute([addQdisc(TBF, 777)])
    expect(shown()[0].options).toEqual(ofTc)
  })

  test('lets a burst go, keeps as much as its limit says, and drops the rest', () => {
    ip(host, 'addr', 'add', '10.0.0.1/24', 'dev', DEVICE.name)
    ip(host, 'neigh', 'add', '10.0.0.2', 'lladdr', '02:00:00:00:00:02', 'dev', DEVICE.name)
    run(host, 'sysctl', '-qw', `net.ipv6.conf.${DEVICE.name}.disable_ipv6=1`)
    // A datagram of one byte is a frame of 43: Ethernet 14, IPv4 20, UDP 8.
    socket.execute([addQdisc({ ...TBF, rate: 1, burst: 50 * 43, limit: 10 * 43 }, 777)])
    for (let port = 1; port <= 100; port++) sendUdp(host, { ip: '10.0.0.1', port: 4000 }, { ip: '10.0.0.2', port })
    expect(shown('-s')).toEqual([expect.objectContaining({ packets: 50, qlen: 10, drops: 40, backlog: 430 })])
  })

  test('takes no place of a stranger that has its handle, and leaves strangers alone', () => {
    tc('qdisc', 'replace', 'dev', DEVICE.name, 'root', 'handle', '1:', 'htb')
    expect(qdiscDeviation(TBF, found())).toBe('htb 1: root')
    const refused = errors(addQdisc(TBF, 777), deleteQdisc(TBF, 777))
    expect(refused.map((error) => error?.code)).toEqual(['EINVAL', 'EINVAL'])
    expect(shown()[0]).toMatchObject({ kind: 'htb' })
    tc('qdisc', 'replace', 'dev', DEVICE.name, 'root', 'handle', '2:', 'htb')
    expect(codes(addQdisc(TBF, 777))).toEqual([undefined])
    expect(shown()).toEqual([expect.objectContaining({ kind: 'tbf', handle: '1:' })])
  })
})

describe('clsact', () => {
  test('is added once, listed and deleted', () => {
    expect(qdiscDeviation(CLSACT, found())).toBe('missing')
    expect(codes(addQdisc(CLSACT, 777), addQdisc(CLSACT, 777))).toEqual([undefined, undefined])
    expect(shown()).toContainEqual(expect.objectContaining({ kind: 'clsact', handle: 'ffff:', parent: 'ffff:fff1' }))
    expect(qdiscDeviation(CLSACT, found())).toBeUndefined()
    expect(qdiscDeviation(TBF, found())).toBe('missing')
    expect(codes(deleteQdisc(CLSACT, 777))).toEqual([undefined])
    expect(qdiscDeviation(CLSACT, found())).toBe('missing')
  })

  test('is not the ingress qdisc that has its place', () => {
    tc('qdisc', 'add', 'dev', DEVICE.name, 'ingress')
    expect(codes(addQdisc(CLSACT, 777))).toEqual(['EINVAL'])
    expect(qdiscDeviation(CLSACT, found())).toBe('ingress ffff: parent ffff:fff1')
  })
})

test('what is not there is absent', () => {
  const gone = [777, 5].flatMap((ifindex) => [TBF, CLSACT].map((spec) => deleteQdisc(spec, ifindex)))
  const refused = errors(...gone)
  expect(refused.map((error) => error !== undefined && isAbsent(error))).toEqual(Array(4).fill(true))
  expect(codes(addQdisc(TBF, 5), addQdisc(CLSACT, 5))).toEqual(['ENODEV', 'ENODEV'])
  expect(listQdiscs(socket, { ifindex: 5 })).toEqual([])
})

test('all devices are listed at once', () => {
  ip(host, 'link', 'add', 'cali2', 'index', '778', 'type', 'veth', 'peer', 'name', 'p2')
  socket.execute([addQdisc(TBF, 777), addQdisc(CLSACT, 778)])
  const all = listQdiscs(socket).filter(({ handle }) => handle !== 0)
  expect(all.map(({ ifindex, kind }) => [ifindex, kind])).toEqual([
    [777, 'tbf'],
    [778, 'clsact'],
  ])
})
