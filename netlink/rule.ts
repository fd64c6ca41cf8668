/** Policy routing rules. */
import { type Cidr, cidrOf, type Family, ipFromBytes, ipToBytes, splitCidr } from '../inet/address.ts'
import type { LinkName } from '../inet/link-name.ts'
import {
  decodeAttributes,
  encode,
  encodeAttribute,
  formatRuleMessage,
  MessageType,
  MulticastGroups,
  readCString,
  readU32,
} from './codec.ts'
import { familyFromNumber, familyNumber } from './family.ts'
import { type Message, NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts'
import type { NetlinkSocket } from './socket.ts'

/** linux/fib_rules.h */
const FRA_DST = 1
const FRA_SRC = 2
const FRA_IIFNAME = 3
const FRA_PRIORITY = 6
const FRA_FWMARK = 10
const FRA_SUPPRESS_PREFIXLEN = 14
const FRA_TABLE = 15
const FRA_FWMASK = 16
const FRA_OIFNAME = 17
const FRA_PAD = 18
const FRA_PROTOCOL = 21
const FR_ACT_TO_TBL = 1
/** linux/rtnetlink.h */
const RTPROT_KERNEL = 2
const FIB_RULE_INVERT = 0x2
const NO_SUPPRESSION = 0xffffffff
const HEADER = 12

/** Attributes that are in `Rule`, or say nothing of which packets match. */
const UNDERSTOOD = new Set([
  FRA_DST,
  FRA_SRC,
  FRA_IIFNAME,
  FRA_PRIORITY,
  FRA_FWMARK,
  FRA_SUPPRESS_PREFIXLEN,
  FRA_TABLE,
  FRA_FWMASK,
  FRA_OIFNAME,
  FRA_PAD,
  FRA_PROTOCOL,
])

/** A rule that looks a table up. */
export interface RuleAddition {
  readonly family: Family
  readonly priority: number
  readonly source?: Cidr
  readonly destination?: Cidr
  readonly inputDevice?: LinkName
  readonly outputDevice?: LinkName
  /** Packets whose mark has this value in the bits of the mask. */
  readonly mark?: { readonly value: number; readonly mask: number }
  readonly table: number
  /** RTPROT_UNSPEC when absent; rules that differ in nothing else are different rules. */
  readonly protocol?: 'kernel'
}

/** A rule of the kernel. */
export interface Rule extends Omit<RuleAddition, 'inputDevice' | 'outputDevice' | 'protocol'> {
  readonly inputDevice?: LinkName
  readonly outputDevice?: LinkName
  /** FR_ACT_…: 1 looks the table up. */
  readonly action: number
  /** Holds more than the fields here say: inverted, suppressing, by port, user, protocol or type of service. */
  readonly special: boolean
}

function payload(rule: RuleAddition): Buffer {
  const [source, destination] = [rule.source, rule.destination].map((cidr) =>
    cidr === undefined ? undefined : splitCidr(cidr),
  )
  const data = {
    family: familyNumber(rule.family),
    action: FR_ACT_TO_TBL,
    srcLen: source?.length ?? 0,
    dstLen: destination?.length ?? 0,
  }
  const attrs = {
    ...(source === undefined ? {} : { src: Buffer.from(ipToBytes(source.network)) }),
    ...(destination === undefined ? {} : { dst: Buffer.from(ipToBytes(destination.network)) }),
    ...(rule.inputDevice === undefined ? {} : { iifname: rule.inputDevice }),
    ...(rule.outputDevice === undefined ? {} : { oifname: rule.outputDevice }),
    ...(rule.mark === undefined ? {} : { fwmark: rule.mark.value, fwmask: rule.mark.mask }),
    priority: rule.priority,
    table: rule.table,
  }
  const message = encode((out) => formatRuleMessage({ kind: 'rule', data, attrs }, out))
  if (rule.protocol === undefined) return message
  return Buffer.concat([message, encodeAttribute(FRA_PROTOCOL, Buffer.of(RTPROT_KERNEL))])
}

/** The kernel leaves a mask of all bits out of what it lists. */
const ALL_BITS = 0xffffffff

const hex = (bits: number) => `0x${bits.toString(16)}`
const describeMark = ({ value, mask }: NonNullable<RuleAddition['mark']>) =>
  mask === ALL_BITS ? hex(value) : `${hex(value)}/${hex(mask)}`

/** As iproute2 writes it. */
export function describeRule(rule: RuleAddition): string {
  const words = [`${rule.priority}:`, 'from', rule.source ?? `all (${rule.family})`]
  if (rule.destination !== undefined) words.push('to', rule.destination)
  if (rule.mark !== undefined) words.push('fwmark', describeMark(rule.mark))
  if (rule.inputDevice !== undefined) words.push('iif', rule.inputDevice)
  if (rule.outputDevice !== undefined) words.push('oif', rule.outputDevice)
  words.push('lookup', String(rule.table))
  return words.join(' ')
}

/** EEXIST when there is the same rule: without that check (NLM_F_EXCL) the kernel adds duplicates, even on REPLACE. */
export function addRule(rule: RuleAddition): Request {
  return {
    type: MessageType.NEWRULE,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    payload: payload(rule),
    text: `add rule ${describeRule(rule)}`,
  }
}

/** ENOENT when there is no such rule. */
export function deleteRule(rule: RuleAddition): Request {
  return { type: MessageType.DELRULE, flags: 0, payload: payload(rule), text: `delete rule ${describeRule(rule)}` }
}

/**
 * In the order in which packets meet them. The kernel goes on with a dump of rules by counting, and does not say when
 * somebody changed the list meanwhile: a rule could be missed or come twice.
 * @throws NetlinkError
 */
export function listRules(socket: NetlinkSocket, { family }: { readonly family: Family }): Rule[] {
  const data = { family: familyNumber(family) }
  const changes = family === 'ipv4' ? MulticastGroups.IPV4_RULE : MulticastGroups.IPV6_RULE
  const request: Request = {
    type: MessageType.GETRULE,
    flags: 0,
    payload: encode((out) => formatRuleMessage({ kind: 'rule', data, attrs: {} }, out)),
    text: `list ${family} rules`,
  }
  return socket.dump(request, { changes }).flatMap((message) => parseRule(message) ?? [])
}

/** Decodes RTM_NEWRULE or RTM_DELRULE; `undefined` for families other than IPv4 and IPv6. */
export function parseRule({ payload: bytes }: Message): Rule | undefined {
  const family = familyFromNumber(bytes.readUInt8(0))
  if (family === undefined) return undefined
  const attributes = decodeAttributes(bytes.subarray(HEADER))
  const number = (type: number) => {
    const value = attributes.get(type)
    return value === undefined ? undefined : readU32(value)
  }
  const name = (type: number) => {
    const value = attributes.get(type)
    // The kernel checked the name when the rule was made.
    return value === undefined ? undefined : (readCString(value) as LinkName)
  }
  const prefix = (type: number, length: number) => {
    const value = attributes.get(type)
    return value === undefined ? undefined : cidrOf(ipFromBytes(value), length)
  }
  const [source, destination] = [prefix(FRA_SRC, bytes.readUInt8(2)), prefix(FRA_DST, bytes.readUInt8(1))]
  const [inputDevice, outputDevice] = [name(FRA_IIFNAME), name(FRA_OIFNAME)]
  const [value, mask] = [number(FRA_FWMARK), number(FRA_FWMASK)]
  return {
    family,
    priority: number(FRA_PRIORITY) ?? 0,
    table: number(FRA_TABLE) ?? bytes.readUInt8(4),
    action: bytes.readUInt8(7),
    special:
      bytes.readUInt8(3) !== 0 ||
      (readU32(bytes, 8) & FIB_RULE_INVERT) !== 0 ||
      (number(FRA_SUPPRESS_PREFIXLEN) ?? NO_SUPPRESSION) !== NO_SUPPRESSION ||
      [...attributes.keys()].some((type) => !UNDERSTOOD.has(type)),
    ...(source === undefined ? {} : { source }),
    ...(destination === undefined ? {} : { destination }),
    ...(inputDevice === undefined ? {} : { inputDevice }),
    ...(outputDevice === undefined ? {} : { outputDevice }),
    ...(value === undefined && mask === undefined ? {} : { mark: { value: value ?? 0, mask: mask ?? ALL_BITS } }),
  }
}
