/** What datapaths make in the kernel, as the lines that iproute2, tc and nft would show of it: written by hand. */

/** Families with this line, `4` IPv4 alone, `6` IPv6 alone, `d` both; and the line, with a minus when it goes. */
export type Line = readonly [families: '4' | '6' | 'd' | '4d' | '6d' | '46d', text: string]

/** The node forwards. */
export const FORWARDING: readonly Line[] = [
  ['4d', '- node sysctl ipv4 all forwarding 0'],
  ['4d', '- node sysctl ipv4 default forwarding 0'],
  ['4d', 'node sysctl ipv4 all forwarding 1'],
  ['4d', 'node sysctl ipv4 default forwarding 1'],
  ['6d', '- node sysctl ipv6 all forwarding 0'],
  ['6d', '- node sysctl ipv6 default forwarding 0'],
  ['6d', 'node sysctl ipv6 all forwarding 1'],
  ['6d', 'node sysctl ipv6 default forwarding 1'],
]

/** In the form of a map: all pods are behind one rule. */
export const POD_RULE: readonly Line[] = [
  ['4d', 'node rule ipv4 512: from all lookup 1000'],
  ['6d', 'node rule ipv6 512: from all lookup 1000'],
]

/** An ENI that stays on the node. */
export const ENI_UP: readonly Line[] = [
  ['46d', '- node link eth1#11 veth of #111 00:16:3e:00:00:01 mtu 1500 down'],
  ['46d', 'node link eth1#11 veth of #111 00:16:3e:00:00:01 mtu 1500 up'],
  ['46d', 'node sysctl ipv6 eth1 accept_ra 0'],
]

/** In the form of a map packets come back by an ENI that is not the way to where they come from. */
export const ENI_LOOSE: readonly Line[] = [['4d', 'node sysctl ipv4 eth1 rp_filter 2']]

export const ENI_TABLE: readonly Line[] = [
  ['4d', 'node address eth1 10.0.1.10/32 global'],
  ['4d', 'node route 1011 default via 10.0.1.253 dev eth1 onlink'],
  ['6d', 'node address eth1 fd00:1::10/128 global'],
  ['6d', 'node route main fd00:1::10 dev eth1 metric 256 proto kernel'],
  ['6d', 'node route 1011 fd00:1::ffff:ffff:ffff:fff7 dev eth1'],
  ['6d', 'node route 1011 default via fd00:1::ffff:ffff:ffff:fff7 dev eth1'],
]

export const ENI_RULE: readonly Line[] = [
  ['4d', 'node rule ipv4 2048: from all fwmark 0x100000/0xff00000 lookup 1011'],
  ['6d', 'node rule ipv6 2048: from all fwmark 0x100000/0xff00000 lookup 1011'],
]

/** No namespace of a pod believes routers, and that stays with the namespace; `lo` was there before. */
export const DEAF: readonly Line[] = [
  ['46d', '- pod sysctl ipv6 default accept_ra 1'],
  ['46d', 'pod sysctl ipv6 default accept_ra 0'],
  ['46d', 'pod sysctl ipv6 lo accept_ra 1'],
]

/** A veth is the pod's interface. */
export const VETH: readonly Line[] = [
  ['46d', 'node link cali0000000000a#2002 veth of #2001 a2:1f:d2:d3:5f:7c mtu 1400 up'],
  ['46d', 'pod link eth0#2001 veth of #2002 ea:93:8c:71:71:ad mtu 1400 up'],
  ['46d', 'node sysctl ipv6 cali0000000000a accept_ra 0'],
  ['4d', 'pod neighbour eth0 169.254.1.1 a2:1f:d2:d3:5f:7c'],
  ['6d', 'pod neighbour eth0 fe80::1 a2:1f:d2:d3:5f:7c'],
  ['4d', 'pod route main default via 169.254.1.1 dev eth0 onlink'],
  ['6d', 'pod route main default via fe80::1 dev eth0 onlink'],
  ['4d', 'pod route main 198.51.100.0/24 via 169.254.1.1 dev eth0 onlink'],
  ['6d', 'pod route main 2001:db8:9::/48 via fe80::1 dev eth0 onlink'],
  // 100 Mbit/s to the pod, 1 Gbit/s from it, in bytes; the bursts of a GSO packet and of a ms.
  ['46d', 'node qdisc cali0000000000a tbf rate 12500000 burst 64Ki'],
  ['46d', 'node qdisc cali0000000000a clsact'],
  [
    '46d',
    'node filter cali0000000000a ingress 60000 all 00000000/00000000@0 > mirred (Egress Redirect to device ifb0000000000a) stolen',
  ],
  ['46d', 'node link ifb0000000000a#2003 ifb mtu 1400 up'],
  ['46d', 'node qdisc ifb0000000000a tbf rate 125000000 burst 122Ki'],
]

/** The pod has its address from the ENI's vSwitch. */
export const VETH_ADDRESSES: readonly Line[] = [
  ['4d', 'pod address eth0 10.0.1.20/32 global'],
  ['6d', 'pod address eth0 fd00:1::20/128 global'],
  ['6d', 'pod route main fd00:1::20 dev eth0 metric 256 proto kernel'],
  ['4d', 'node neighbour cali0000000000a 10.0.1.20 ea:93:8c:71:71:ad'],
  ['6d', 'node neighbour cali0000000000a fd00:1::20 ea:93:8c:71:71:ad'],
]

/** The same from the node's own prefix. */
export const VETH_IN_PREFIX: readonly Line[] = [
  ['4d', 'pod address eth0 10.244.3.5/32 global'],
  ['6d', 'pod address eth0 fd00:244:3::5/128 global'],
  ['6d', 'pod route main fd00:244:3::5 dev eth0 metric 256 proto kernel'],
  ['4d', 'node neighbour cali0000000000a 10.244.3.5 ea:93:8c:71:71:ad'],
  ['6d', 'node neighbour cali0000000000a fd00:244:3::5 ea:93:8c:71:71:ad'],
  ['4d', 'node route main 10.244.3.5 dev cali0000000000a scope link'],
  ['6d', 'node route main fd00:244:3::5 dev cali0000000000a'],
]

export const MAP: readonly Line[] = [
  ['4d', 'node route 1000 10.0.1.20 dev cali0000000000a scope link'],
  ['6d', 'node route 1000 fd00:1::20 dev cali0000000000a'],
  ['4d', 'node nft pods4 element ["10.0.1.20",{"jump":{"target":"mark_0x00100000"}}]'],
  ['6d', 'node nft pods6 element ["fd00:1::20",{"jump":{"target":"mark_0x00100000"}}]'],
]

export const RULES: readonly Line[] = [
  ['4d', 'node route main 10.0.1.20 dev cali0000000000a scope link'],
  ['6d', 'node route main fd00:1::20 dev cali0000000000a'],
  ['4d', 'node rule ipv4 512: from all to 10.0.1.20 lookup main'],
  ['4d', 'node rule ipv4 2048: from 10.0.1.20 lookup 1011'],
  ['6d', 'node rule ipv6 512: from all to fd00:1::20 lookup main'],
  ['6d', 'node rule ipv6 2048: from fd00:1::20 lookup 1011'],
]

/** The node's prefixes, of which nobody has the rest. */
export const PREFIXES: readonly Line[] = [
  ['4d', 'node route main blackhole 10.244.3.0/24'],
  ['6d', 'node route main blackhole fd00:244:3::/64 dev lo'],
]

/** Limits of an interface that is not on the node. */
const shapedInPod = (mtu: number): readonly Line[] => [
  ['46d', 'pod qdisc eth0 tbf rate 125000000 burst 122Ki'],
  ['46d', 'pod qdisc eth0 clsact'],
  ['46d', 'pod filter eth0 ingress 60000 all 00000000/00000000@0 > mirred (Egress Redirect to device ifbeth0) stolen'],
  ['46d', `pod link ifbeth0#2003 ifb mtu ${mtu} up`],
  // It was made before the namespace became deaf, and never hears anything.
  ['46d', 'pod sysctl ipv6 ifbeth0 accept_ra 1'],
  ['46d', 'pod qdisc ifbeth0 tbf rate 12500000 burst 64Ki'],
]

/** By the VPC's own gateway. */
const BY_GATEWAY: readonly Line[] = [
  ['4d', 'pod route main default via 10.0.1.253 dev eth0 onlink'],
  ['6d', 'pod route main default via fd00:1::ffff:ffff:ffff:fff7 dev eth0 onlink'],
  ['4d', 'pod route main 198.51.100.0/24 via 10.0.1.253 dev eth0 onlink'],
  ['6d', 'pod route main 2001:db8:9::/48 via fd00:1::ffff:ffff:ffff:fff7 dev eth0 onlink'],
]

/** What the second veth leads to, in one of the pod's tables. */
const pastGateway = (table: 'main' | '3001'): readonly Line[] => [
  ['4d', `pod route ${table} 172.16.0.0/16 via 169.254.1.1 dev veth1 onlink`],
  ['4d', `pod route ${table} 169.254.20.10 via 169.254.1.1 dev veth1 onlink`],
  ['4d', `pod route ${table} 10.0.1.10 via 169.254.1.1 dev veth1 onlink`],
  ['6d', `pod route ${table} fd00:5::/112 via fe80::1 dev veth1 onlink`],
  ['6d', `pod route ${table} fd00:20::10 via fe80::1 dev veth1 onlink`],
  ['6d', `pod route ${table} fd00:1::10 via fe80::1 dev veth1 onlink`],
]

/** Beside a link to the VPC: its address, the second veth with the same one, and the ways by both. */
export const withHostPeer = (mtu: number): readonly Line[] => [
  ['4d', 'pod address eth0 10.0.1.20/32 global'],
  ['6d', 'pod address eth0 fd00:1::20/128 global'],
  ['6d', 'pod route main fd00:1::20 dev eth0 metric 256 proto kernel'],
  ...BY_GATEWAY,
  ...shapedInPod(mtu),
  ['46d', `node link cali0000000000a#2001 veth of #2002 d6:d1:b0:d5:41:ab mtu ${mtu} up`],
  ['46d', `pod link veth1#2002 veth of #2001 16:ff:ff:41:8f:5c mtu ${mtu} up`],
  ['46d', 'node sysctl ipv6 cali0000000000a accept_ra 0'],
  ['4d', 'pod address veth1 10.0.1.20/32 global'],
  ['6d', 'pod address veth1 fd00:1::20/128 global'],
  ['6d', 'pod route main fd00:1::20 dev veth1 metric 256 proto kernel'],
  ['4d', 'pod neighbour veth1 169.254.1.1 d6:d1:b0:d5:41:ab'],
  ['6d', 'pod neighbour veth1 fe80::1 d6:d1:b0:d5:41:ab'],
  ['4d', 'node neighbour cali0000000000a 10.0.1.20 16:ff:ff:41:8f:5c'],
  ['6d', 'node neighbour cali0000000000a fd00:1::20 16:ff:ff:41:8f:5c'],
  ['4d', 'node route main 10.0.1.20 dev cali0000000000a scope link'],
  ['6d', 'node route main fd00:1::20 dev cali0000000000a'],
  ...pastGateway('main'),
]

/** Each of two interfaces is left by what comes from its address, or is bound to it. */
export const TWO_WAYS: readonly Line[] = [
  ...pastGateway('3001'),
  ['4d', 'pod route 3001 default via 10.0.1.253 dev eth0 onlink'],
  ['6d', 'pod route 3001 fd00:1::ffff:ffff:ffff:fff7 dev eth0'],
  ['6d', 'pod route 3001 default via fd00:1::ffff:ffff:ffff:fff7 dev eth0'],
  ['4d', 'pod rule ipv4 512: from 10.0.1.20 lookup 3001'],
  ['4d', 'pod rule ipv4 512: from all oif eth0 lookup 3001'],
  ['6d', 'pod rule ipv6 512: from fd00:1::20 lookup 3001'],
  ['6d', 'pod rule ipv6 512: from all oif eth0 lookup 3001'],
  ['4d', 'pod address net1 10.0.1.22/32 global'],
  ['6d', 'pod address net1 fd00:1::22/128 global'],
  ['6d', 'pod route main fd00:1::22 dev net1 metric 256 proto kernel'],
  ['4d', 'pod route 3011 default via 10.0.1.253 dev net1 onlink'],
  ['6d', 'pod route 3011 fd00:1::ffff:ffff:ffff:fff7 dev net1'],
  ['6d', 'pod route 3011 default via fd00:1::ffff:ffff:ffff:fff7 dev net1'],
  ['4d', 'pod rule ipv4 512: from 10.0.1.22 lookup 3011'],
  ['4d', 'pod rule ipv4 512: from all oif net1 lookup 3011'],
  ['6d', 'pod rule ipv6 512: from fd00:1::22 lookup 3011'],
  ['6d', 'pod rule ipv6 512: from all oif net1 lookup 3011'],
]

/** Of the ENI, and those of the pod alone. */
export const IPVLAN: readonly Line[] = [
  ['46d', 'pod link eth0#2001 ipvlan mode l2 of #11 00:16:3e:00:00:01 mtu 1400 up'],
  ['4d', 'pod address eth0 10.0.1.20/24 global'],
  ['4d', 'pod route main 10.0.1.0/24 dev eth0 scope link src 10.0.1.20 proto kernel'],
  ['6d', 'pod address eth0 fd00:1::20/64 global'],
  ['6d', 'pod route main fd00:1::/64 dev eth0 metric 256 proto kernel'],
  ...BY_GATEWAY,
  ...shapedInPod(1400),
  ['4d', 'pod neighbour eth0 10.0.1.10 00:16:3e:00:00:01'],
  ['4d', 'pod route main 10.0.1.10 dev eth0 scope link'],
  ['6d', 'pod neighbour eth0 fd00:1::10 00:16:3e:00:00:01'],
  ['6d', 'pod route main fd00:1::10 dev eth0'],
  ['4d', 'node route main 10.0.1.20 dev ipvl_11 scope link'],
  ['6d', 'node route main fd00:1::20 dev ipvl_11'],
]

const TURN_BACK = 'tunnel_key unset pipe > skbedit ptype host pipe > mirred (Ingress Redirect to device ipvl_11) stolen'

/** The node's own slave; services 172.16.0.0/16 and fd00:5::/112, and the name server, are met by its filters. */
export const IPVLAN_NODE: readonly Line[] = [
  ['46d', 'node link ipvl_11#1879048203 ipvlan mode l2 of eth1 00:16:3e:00:00:01 mtu 1500 noarp up'],
  ['4d', 'node address ipvl_11 10.0.1.10/32 host'],
  // IPv6 has no such scope: the kernel goes by the address.
  ['6d', 'node address ipvl_11 fd00:1::10/128 global'],
  ['6d', 'node route main fd00:1::10 dev ipvl_11 metric 256 proto kernel'],
  ['46d', 'node sysctl ipv6 ipvl_11 accept_ra 0'],
  ['46d', 'node qdisc eth1 clsact'],
  ['4d', `node filter eth1 egress 40000 ip ac100000/ffff0000@16 > ${TURN_BACK}`],
  ['4d', `node filter eth1 egress 40000 ip a9fe140a/ffffffff@16 > ${TURN_BACK}`],
  [
    '6d',
    `node filter eth1 egress 40001 ipv6 fd000005/ffffffff@24 00000000/ffffffff@28 00000000/ffffffff@32 00000000/ffff0000@36 > ${TURN_BACK}`,
  ],
  [
    '6d',
    `node filter eth1 egress 40001 ipv6 fd000020/ffffffff@24 00000000/ffffffff@28 00000000/ffffffff@32 00000010/ffffffff@36 > ${TURN_BACK}`,
  ],
]

/** A member's frames get its tag on the way out, and lose it on the way in. */
export const TAGS: readonly Line[] = [
  ['4d', 'node filter eth1 egress 50001 ip 0a000114/ffffffff@12 > vlan push id 11 protocol 802.1Q priority 0 pipe'],
  [
    '6d',
    'node filter eth1 egress 50002 ipv6 fd000001/ffffffff@8 00000000/ffffffff@12 00000000/ffffffff@16 00000020/ffffffff@20 > vlan push id 11 protocol 802.1Q priority 0 pipe',
  ],
]
export const TRUNK_TAGS: readonly Line[] = [
  ['46d', 'node qdisc eth1 clsact'],
  ['46d', 'node filter eth1 ingress 20000 802.1Q 00000000/00000000@0 > vlan pop pipe > skbedit ptype host pipe'],
]

/** Guaranteed: the first of three bands. */
export const FIRST_BAND: readonly Line[] = [
  ['4d', 'node filter eth1 parent 1: 1 ip 0a000114/ffffffff@12 class 1:1'],
  [
    '6d',
    'node filter eth1 parent 1: 2 ipv6 fd000001/ffffffff@8 00000000/ffffffff@12 00000000/ffffffff@16 00000020/ffffffff@20 class 1:1',
  ],
]
export const FIRST_BAND_TAGGED: readonly Line[] = [
  ['4d', 'node filter eth1 parent 1: 3 802.1Q 0a000114/ffffffff@12 class 1:1'],
  [
    '6d',
    'node filter eth1 parent 1: 3 802.1Q fd000001/ffffffff@8 00000000/ffffffff@12 00000000/ffffffff@16 00000020/ffffffff@20 class 1:1',
  ],
]
