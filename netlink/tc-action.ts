/** Actions of filters: what a matched packet goes through, one after the other. */
import {
  type Attributes,
  cString,
  decodeAttributes,
  encodeAttribute,
  readCString,
  readI32,
  readU16,
  readU32,
  writeU16,
  writeU32,
} from './codec.ts'
import type { DeviceRef, FilterAction } from './plan.ts'

/** linux/pkt_cls.h */
const TCA_ACT_KIND = 1
const TCA_ACT_OPTIONS = 2
const TC_ACT_PIPE = 3
const TC_ACT_STOLEN = 4
/** The struct that all the actions here have, as attribute 2 (TCA_MIRRED_PARMS, TCA_VLAN_PARMS, …). */
const PARMS = 2
/** What it begins with: index, capabilities, the verdict, two counts (tc_gen). */
const GENERIC = { length: 20, verdict: 8 } as const
/** linux/tc_act/tc_mirred.h */
const TCA_EGRESS_REDIR = 1
const TCA_INGRESS_REDIR = 3
/** linux/tc_act/tc_vlan.h */
const TCA_VLAN_ACT_POP = 1
const TCA_VLAN_ACT_PUSH = 2
const TCA_VLAN_PUSH_VLAN_ID = 3
const TCA_VLAN_PUSH_VLAN_PROTOCOL = 4
const ETH_P_8021Q = 0x8100
/** linux/tc_act/tc_skbedit.h, linux/if_packet.h */
const TCA_SKBEDIT_PTYPE = 7
const PACKET_HOST = 0
/** The attributes above PTYPE and below it that set something else. */
const SKBEDIT_OTHERS = [3, 4, 5, 9, 10]
/** linux/tc_act/tc_tunnel_key.h */
const TCA_TUNNEL_KEY_ACT_RELEASE = 2

/** An action in the kernel: a device is the index it has there. `other` is one that no plan asks for. */
export type Action =
  | Exclude<FilterAction, { readonly kind: 'redirect' }>
  | { readonly kind: 'redirect'; readonly ifindex: number; readonly direction: 'ingress' | 'egress' }
  | { readonly kind: 'other'; readonly name: string }

export function resolveAction(action: FilterAction, indexOf: (device: DeviceRef) => number): Action {
  if (action.kind !== 'redirect') return action
  return { kind: 'redirect', ifindex: indexOf(action.to), direction: action.direction }
}

/** As iproute2 writes it; a device whose name is not known by its index, as iproute2 does then. */
export function describeAction(action: Action | FilterAction): string {
  switch (action.kind) {
    case 'redirect':
      return `mirred ${action.direction} redirect dev ${'to' in action ? action.to.name : `if${action.ifindex}`}`
    case 'vlan-push':
      return `vlan push id ${action.vlanId}`
    case 'vlan-pop':
      return 'vlan pop'
    case 'packet-to-host':
      return 'skbedit ptype host'
    case 'unset-tunnel-key':
      return 'tunnel_key unset'
    case 'other':
      return action.name
  }
}

/** What an action's struct holds: the verdict for its packets, then words of its own. */
function parms(verdict: number, ...words: number[]): Buffer {
  const bytes = Buffer.alloc(GENERIC.length + 4 * words.length)
  writeU32(bytes, verdict, GENERIC.verdict)
  for (const [index, word] of words.entries()) writeU32(bytes, word, GENERIC.length + 4 * index)
  return encodeAttribute(PARMS, bytes)
}

/** A number of 16 bits as the machine has it. */
function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  writeU16(bytes, value, 0)
  return bytes
}

/** The kernel's name of the action and its options. */
function kindAndOptions(
  action: FilterAction,
  indexOf: (device: DeviceRef) => number,
): [kind: string, options: Buffer[]] {
  switch (action.kind) {
    case 'redirect': {
      const how = action.direction === 'ingress' ? TCA_INGRESS_REDIR : TCA_EGRESS_REDIR
      return ['mirred', [parms(TC_ACT_STOLEN, how, indexOf(action.to))]]
    }
    case 'vlan-push': {
      const id = encodeAttribute(TCA_VLAN_PUSH_VLAN_ID, u16(action.vlanId))
      const protocol = encodeAttribute(TCA_VLAN_PUSH_VLAN_PROTOCOL, Buffer.of(ETH_P_8021Q >> 8, ETH_P_8021Q & 0xff))
      return ['vlan', [parms(TC_ACT_PIPE, TCA_VLAN_ACT_PUSH), id, protocol]]
    }
    case 'vlan-pop':
      return ['vlan', [parms(TC_ACT_PIPE, TCA_VLAN_ACT_POP)]]
    case 'packet-to-host':
      return ['skbedit', [parms(TC_ACT_PIPE), encodeAttribute(TCA_SKBEDIT_PTYPE, u16(PACKET_HOST))]]
    case 'unset-tunnel-key':
      return ['tunnel_key', [parms(TC_ACT_PIPE, TCA_TUNNEL_KEY_ACT_RELEASE)]]
  }
}

/** The list of a filter's actions: attributes numbered from 1 in their order. */
export function encodeActions(actions: readonly FilterAction[], indexOf: (device: DeviceRef) => number): Buffer {
  const encoded = actions.map((action, index) => {
    const [kind, options] = kindAndOptions(action, indexOf)
    const body = [
      encodeAttribute(TCA_ACT_KIND, cString(kind)),
      encodeAttribute(TCA_ACT_OPTIONS, Buffer.concat(options)),
    ]
    return encodeAttribute(index + 1, Buffer.concat(body))
  })
  return Buffer.concat(encoded)
}

/** In their order. */
export function parseActions(list: Buffer): Action[] {
  return [...decodeAttributes(list)].sort(([a], [b]) => a - b).map(([, bytes]) => parseAction(decodeAttributes(bytes)))
}

interface FoundAction {
  readonly options: Attributes
  readonly verdict: number
  /** Those of its own in the struct. */
  readonly words: readonly number[]
}

function parseAction(attributes: Attributes): Action {
  const nothing = Buffer.alloc(0)
  const name = readCString(attributes.get(TCA_ACT_KIND) ?? nothing)
  const options = decodeAttributes(attributes.get(TCA_ACT_OPTIONS) ?? nothing)
  const struct = options.get(PARMS)
  if (struct === undefined || struct.length < GENERIC.length) return { kind: 'other', name }
  const count = (struct.length - GENERIC.length) >> 2
  const words = Array.from({ length: count }, (_, index) => readU32(struct, GENERIC.length + 4 * index))
  const found = { options, verdict: readI32(struct, GENERIC.verdict), words }
  return PARSERS[name]?.(found) ?? { kind: 'other', name: `${name} ${words.join(' ')} verdict ${found.verdict}` }
}

/** By the kernel's name of the action; `undefined` for what no plan asks for. */
const PARSERS: Readonly<Record<string, (found: FoundAction) => Action | undefined>> = {
  mirred: ({ verdict, words: [how, ifindex = 0] }) => {
    if (verdict !== TC_ACT_STOLEN || (how !== TCA_INGRESS_REDIR && how !== TCA_EGRESS_REDIR)) return undefined
    return { kind: 'redirect', ifindex, direction: how === TCA_INGRESS_REDIR ? 'ingress' : 'egress' }
  },
  vlan: ({ options, verdict, words: [what] }) => {
    if (verdict !== TC_ACT_PIPE) return undefined
    if (what === TCA_VLAN_ACT_POP) return { kind: 'vlan-pop' }
    const id = options.get(TCA_VLAN_PUSH_VLAN_ID)
    const protocol = options.get(TCA_VLAN_PUSH_VLAN_PROTOCOL)?.readUInt16BE()
    const isTag = what === TCA_VLAN_ACT_PUSH && protocol === ETH_P_8021Q
    return isTag && id !== undefined ? { kind: 'vlan-push', vlanId: readU16(id) } : undefined
  },
  skbedit: ({ options, verdict }) => {
    const type = options.get(TCA_SKBEDIT_PTYPE)
    const setsMore = SKBEDIT_OTHERS.some((attribute) => options.has(attribute))
    const toHost = verdict === TC_ACT_PIPE && type !== undefined && readU16(type) === PACKET_HOST
    return toHost && !setsMore ? { kind: 'packet-to-host' } : undefined
  },
  tunnel_key: ({ verdict, words: [what] }) =>
    verdict === TC_ACT_PIPE && what === TCA_TUNNEL_KEY_ACT_RELEASE ? { kind: 'unset-tunnel-key' } : undefined,
}
