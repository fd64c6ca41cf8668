/**
 * What a stock Debian kernel does with the links that trunk, ipvlan and exclusive ENIs are made of, as our netlink
 * sees them; iproute2 makes them.
 */
import { version } from 'node:os'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { addVeth, getLink, listLinks, moveLink, renameLink, setLinkDown } from '../../netlink/link.ts'
import type { Netns } from '../../netlink/netns.ts'
import { NetlinkSocket } from '../../netlink/socket.ts'
import { until } from '../cluster/process.ts'
import { ip, run, TestNamespaces } from '../kernel/namespaces.ts'
import { ping } from '../kernel/pod-plan.ts'

const ETH0 = parseLinkName('eth0')
/** An ENI of the node, and its other end in the VPC. */
const ENI = { name: parseLinkName('eth1'), ifindex: 50, mac: parseMac('02:00:00:00:20:01'), mtu: 1500 }
const VPC = { name: parseLinkName('eni1'), ifindex: 60, mac: parseMac('02:00:00:00:20:02'), mtu: 1500 }

let spaces: TestNamespaces
let vpc: Netns
let host: Netns
let pod: Netns
let socket: NetlinkSocket

beforeEach(() => {
  spaces = new TestNamespaces('tw-vm-facts-')
  vpc = spaces.create('vpc')
  host = spaces.create('host')
  pod = spaces.create('pod')
  socket = NetlinkSocket.open({ netns: host })
  socket.execute([addVeth({ ...ENI, up: true, peer: { ...VPC, netns: vpc } })])
  ip(vpc, 'link', 'set', VPC.name, 'up')
})

afterEach(() => {
  socket.close()
  spaces[Symbol.dispose]()
})

/** Makes a link on the ENI in the pod, where it is born under its final name. */
function addToPod(name: string, ...type: string[]): void {
  ip(host, 'link', 'add', 'link', ENI.name, 'name', name, 'netns', nameOf(pod), 'type', ...type)
}

const nameOf = (netns: Netns) => netns.path.slice(netns.path.lastIndexOf('/') + 1)

function configure(netns: Netns, link: string, address: string): void {
  ip(netns, 'addr', 'add', address, 'dev', link)
  ip(netns, 'link', 'set', link, 'up')
}

test('this is a stock Debian kernel', () => {
  expect(version()).toContain('Debian')
})

describe('802.1Q', () => {
  const addToVpc = (id: number) => {
    ip(vpc, 'link', 'add', 'link', VPC.name, 'name', `member${id}`, 'type', 'vlan', 'id', String(id))
    configure(vpc, `member${id}`, '10.0.0.1/24')
  }

  test('a VLAN made in the pod on the trunk outside of it carries its traffic, and no other VLAN does', () => {
    addToVpc(100)
    addToPod(ETH0, 'vlan', 'id', '100')
    configure(pod, ETH0, '10.0.0.2/24')
    expect(ping(pod, '10.0.0.1')).toContain('1 received')

    ip(vpc, 'link', 'delete', 'member100')
    addToVpc(101)
    expect(() => ping(pod, '10.0.0.1')).toThrow('ping')
  })

  describe('on a trunk that has the name which the pod wants', () => {
    const type = ['type', 'vlan', 'id', '100']
    beforeEach(() => socket.execute([setLinkDown(ENI.ifindex), renameLink(ENI.ifindex, ETH0)]))

    // The kernel looks the name up, or registers the link, beside the trunk before it moves it.
    test.each([
      ['outside for the pod', () => host, () => ['netns', nameOf(pod)]],
      ['in the pod', () => pod, () => ['link-netns', nameOf(host)]],
    ])('a VLAN asked for %s is refused', (_, where, other) => {
      const add = ['link', 'add', 'link', `if${ENI.ifindex}`, 'name', ETH0, ...other(), ...type]
      expect(() => ip(where(), ...add)).toThrow('File exists')
    })

    test('one message moves a VLAN of another name to the pod and gives it this one', () => {
      ip(host, 'link', 'add', 'link', ETH0, 'name', 'member', 'index', '70', ...type)
      expect(getLink(socket, 70)).toMatchObject({ name: 'member', kind: 'vlan', peerIfindex: ENI.ifindex })
      socket.execute([moveLink(70, pod, ETH0)])
      expect(getLink(socket, 70)).toBeUndefined()
      using inPod = NetlinkSocket.open({ netns: pod })
      expect(getLink(inPod, ETH0)).toMatchObject({ kind: 'vlan', peerIfindex: ENI.ifindex, mac: ENI.mac })
    })
  })

  test('an id is taken even when its VLAN is in a pod, and free again when that pod is gone', async () => {
    const add = () => ip(host, 'link', 'add', 'link', ENI.name, 'name', 'again', 'type', 'vlan', 'id', '100')
    addToPod(ETH0, 'vlan', 'id', '100')
    expect(add).toThrow('already exists')

    spaces.delete('pod')
    const added = () => {
      try {
        add()
        return true
      } catch {
        return undefined // the kernel dismantles a namespace in its own time
      }
    }
    await until(added, { what: 'VLAN 100 to be free' })
    // The pod's did not come back to where it was made.
    expect(listLinks(socket).map(({ name }) => name)).toEqual(['lo', 'again', ENI.name])
  })
})

describe('ipvlan', () => {
  test('pods on one ENI reach the VPC and each other with the MAC of the ENI', () => {
    const other = spaces.create('other')
    configure(vpc, VPC.name, '10.0.0.1/24')
    addToPod(ETH0, 'ipvlan', 'mode', 'l2')
    ip(host, 'link', 'add', 'link', ENI.name, 'name', ETH0, 'netns', nameOf(other), 'type', 'ipvlan', 'mode', 'l2')
    configure(pod, ETH0, '10.0.0.2/24')
    configure(other, ETH0, '10.0.0.3/24')

    expect(ping(pod, '10.0.0.1')).toContain('1 received')
    expect(ping(pod, '10.0.0.3')).toContain('1 received')
    using inPod = NetlinkSocket.open({ netns: pod })
    expect(getLink(inPod, ETH0)).toMatchObject({ kind: 'ipvlan', peerIfindex: ENI.ifindex, mac: ENI.mac })
  })

  test('shares its ENI with no macvlan', () => {
    addToPod(ETH0, 'ipvlan', 'mode', 'l2')
    expect(() => addToPod('mac0', 'macvlan')).toThrow('Device or resource busy')
  })
})

test('a dummy takes addresses like any link', () => {
  ip(host, 'link', 'add', 'dummy7', 'index', '77', 'type', 'dummy')
  configure(host, 'dummy7', '169.254.20.10/32')
  ip(host, 'link', 'set', 'lo', 'up')
  expect(getLink(socket, 77)).toMatchObject({ name: 'dummy7', kind: 'dummy', up: true })
  expect(ping(host, '169.254.20.10')).toContain('1 received')
})

describe('traffic control', () => {
  const filter = (...args: string[]) => run(vpc, 'tc', 'filter', 'add', 'dev', VPC.name, 'ingress', ...args)

  beforeEach(() => {
    configure(vpc, VPC.name, '10.0.0.1/24')
    configure(host, ENI.name, '10.0.0.2/24')
    ip(host, 'addr', 'add', '10.0.0.3/24', 'dev', ENI.name)
    run(vpc, 'tc', 'qdisc', 'add', 'dev', VPC.name, 'clsact')
  })

  test('flower drops what has the address and nothing else', () => {
    filter('protocol', 'ip', 'flower', 'src_ip', '10.0.0.3', 'action', 'drop')
    expect(ping(host, '10.0.0.1')).toContain('1 received')
    expect(() => run(host, 'ping', '-c', '1', '-W', '2', '-I', '10.0.0.3', '10.0.0.1')).toThrow('ping')
  })

  test('matchall drops everything', () => {
    expect(ping(host, '10.0.0.1')).toContain('1 received')
    filter('matchall', 'action', 'drop')
    expect(() => ping(host, '10.0.0.1')).toThrow('ping')
  })
})
