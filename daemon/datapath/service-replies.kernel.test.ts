/**
 * Connections that the node's NAT redirects to one of its pods, as a service or a NodePort does, and whose source it
 * leaves alone (externalTrafficPolicy: Local). The VPC drops what leaves an ENI from an address that is not the ENI's.
 */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parseIpv4, parseIpv6 } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { PlanInterpreter } from '../../netlink/interpreter.ts'
import type { Netns } from '../../netlink/netns.ts'
import { until } from '../../test/cluster/process.ts'
import { POD } from '../../test/datapath/attachments.ts'
import { lost, NODE, NODE_IPS, NodeNetwork, OUTSIDE } from '../../test/datapath/node-network.ts'
import { run } from '../../test/kernel/namespaces.ts'
import { sendUdp } from '../../test/kernel/udp.ts'
import type { Attachment } from './attachment.ts'
import { hostLinkName } from './host-link-name.ts'
import { planEni } from './plan-eni.ts'
import { planHost } from './plan-host.ts'
import { planPod } from './plan-pod.ts'

const ETH0 = parseLinkName('eth0')
/** A pod on the shared ENI, and one with an ENI of its own. */
const BACKEND = { ipv4: parseIpv4('10.0.1.20'), ipv6: parseIpv6('fd00:1::20') }
const EXCLUSIVE = { ipv4: parseIpv4('10.0.1.30'), ipv6: parseIpv6('fd00:1::30') }
const FAMILIES = [
  { family: 'ipv4', ip: 'ip', node: NODE_IPS[0], outside: OUTSIDE[0], service: '172.16.9.9' },
  { family: 'ipv6', ip: 'ip6', node: NODE_IPS[1], outside: OUTSIDE[1], service: 'fd00:5::99' },
] as const

let network: NodeNetwork
let kernel: PlanInterpreter
let backend: Netns
let exclusive: Netns

beforeEach(() => {
  network = new NodeNetwork('tw-dsr-')
  kernel = new PlanInterpreter({ hostNetns: network.node })
  const [shared, own] = [network.addEni(1), network.addEni(2)]
  network.assign(BACKEND, shared)
  network.assign(EXCLUSIVE, own)
  kernel.apply(planHost(NODE))
  kernel.apply(planEni(shared, NODE))
  const indexes = [10, 20].map((link) => ({ link: 1000 + link, peer: 1001 + link, shaper: 1002 + link }))
  backend = add('backend', { eni: shared, addresses: BACKEND, indexes: indexes[0] ?? POD.indexes })
  const byItself = { datapath: 'exclusive', hostPeer: true, mtu: 1500 } as const
  exclusive = add('exclusive', { ...byItself, eni: own, addresses: EXCLUSIVE, indexes: indexes[1] ?? POD.indexes })
  network.settle()
  nft(
    network.router,
    `table inet vpc {
      counter foreign { }
      counter answered { }
      chain arriving {
        type filter hook prerouting priority raw;
        iifname { r1, r2 } ip saddr != { ${BACKEND.ipv4}, ${EXCLUSIVE.ipv4} } counter name foreign drop
        iifname { r1, r2 } ip6 saddr != { ::, fe80::/10, ${BACKEND.ipv6}, ${EXCLUSIVE.ipv6} } counter name foreign drop
        iifname r0 udp sport 30080 udp dport 5000 counter name answered
      }
    }`,
  )
})

afterEach(async () => {
  await kernel.close()
  network[Symbol.dispose]()
})

function add(name: string, change: Partial<Attachment>): Netns {
  const netns = network.pod(name)
  const hostLink = hostLinkName('default', name, ETH0)
  kernel.apply(planPod({ ...POD, containerId: name, netns: netns.path, hostLink, ...change }, NODE))
  return netns
}

const nft = (netns: Netns, command: string) => run(netns, 'nft', command)

function packets(netns: Netns, counter: string): number {
  return Number(/packets (\d+)/.exec(nft(netns, `list counter inet ${counter}`))?.[1])
}

const arrival = (netns: Netns, counter: string) =>
  until(() => (packets(netns, counter) > 0 ? true : undefined), { what: `a packet at ${counter}` })

test.each(FAMILIES)(
  '$family: a service of the node answers a pod with an ENI of its own',
  ({ family, ip, service }) => {
    nft(
      network.node,
      `table inet services {
      chain nat {
        type nat hook prerouting priority dstnat;
        ${ip} daddr ${service} dnat ${ip} to ${BACKEND[family]}
      }
    }`,
    )
    expect(lost(exclusive, service)).toBe(0)
    expect(lost(exclusive, BACKEND[family])).toBe(0)
    expect(packets(network.router, 'vpc foreign')).toBe(0)
  },
)

test.each(FAMILIES)(
  '$family: a NodePort answers by the link it was asked on',
  async ({ family, ip, node, outside }) => {
    nft(
      network.node,
      `table inet services {
      chain nat {
        type nat hook prerouting priority dstnat;
        ${ip} daddr ${node} udp dport 30080 dnat ${ip} to ${BACKEND[family].replace(/.*:.*/, '[$&]')}:80
      }
    }`,
    )
    nft(
      backend,
      `table inet pod {
      counter asked { }
      chain arriving {
        type filter hook input priority filter;
        ${ip} saddr ${outside} udp sport 5000 udp dport 80 counter name asked
      }
    }`,
    )
    const client = { ip: outside, port: 5000 }
    sendUdp(network.router, client, { ip: node, port: 30080 })
    await arrival(backend, 'pod asked')
    sendUdp(backend, { ip: BACKEND[family], port: 80 }, client)
    await arrival(network.router, 'vpc answered')
    // Nor has the backend's own kernel, which nobody has given a socket for this, told the client so by the ENI.
    expect(packets(network.router, 'vpc foreign')).toBe(0)
    expect(lost(backend, outside)).toBe(0)
  },
)
