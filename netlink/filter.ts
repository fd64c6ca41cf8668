/**
 * Filters of traffic control: what packets of a device go through on their way in or out, or to which class.
 *
 * A priority must serve one direction of a device only. The u32 classifier keeps its tables by qdisc and priority, and
 * clsact is one qdisc for both directions: with filters of one priority in both, each direction lists, and deletes, those
 * of the other as its own (tc_u_common_ptr and u32_walk of cls_u32.c).
 */
import { encodeAttribute, MessageType, MulticastGroups, readU16, u32 } from './codec.ts'
import { type Message, NLM_F_CREATE, NLM_F_ECHO, NLM_F_EXCL, type Request } from './message.ts'
import type { DeviceRef, FilterSpec } from './plan.ts'
import type { NetlinkSocket } from './socket.ts'
import { type Action, describeAction, encodeActions, parseActions, resolveAction } from './tc-action.ts'
import { CLSACT_PARENTS, decodeTc, formatHandle, ROOT_HANDLE, TCA_CHAIN, tcRequest } from './tc-message.ts'
import { isAbsent } from './tc-support.ts'
import { encodeU32, identityOf, keysOf, parseU32, type U32Key } from './tc-u32.ts'

/** linux/if_ether.h */
const PROTOCOLS = { all: 0x0003, ipv4: 0x0800, ipv6: 0x86dd, '802.1Q': 0x8100 } as const
/** iproute2's names of them */
const PROTOCOL_NAMES = { all: 'all', ipv4: 'ip', ipv6: 'ipv6', '802.1Q': '802.1Q' } as const
const U32 = 'u32'

/** Where the filter of a spec goes. */
export interface FilterPlace {
  readonly ifindex: number
  /** The index, in the same namespace, of a device to redirect to. */
  indexOf(device: DeviceRef): number
  /** The handle of a prio qdisc, for `classes`: 1: unless given. Each has filters of its own (prioHandles). */
  readonly parent?: number
}

/** A filter of the kernel. */
export interface Filter {
  readonly ifindex: number
  readonly parent: number
  /** The smaller, the earlier. */
  readonly priority: number
  /** ETH_P_… */
  readonly protocol: number
  /** Unique within its parent, priority and protocol. */
  readonly handle: number
  /** `u32`, `bpf`, … */
  readonly kind: string
  /** Of u32. */
  readonly keys: readonly U32Key[]
  /** No u32, or one that does more than compare its keys. */
  readonly special: boolean
  /** In the order in which packets go through them. */
  readonly actions: readonly Action[]
  readonly classid?: number
}

/** What its filters hang on. */
export function filterParent(
  { direction }: Pick<FilterSpec, 'direction'>,
  { parent }: { readonly parent?: number },
): number {
  return direction === 'classes' ? (parent ?? ROOT_HANDLE) : CLSACT_PARENTS[direction]
}

const classidOf = ({ band }: FilterSpec): number | undefined => (band === undefined ? undefined : ROOT_HANDLE | band)

/** A number of 16 bits in network order, read as the machine reads one; the same undoes it. */
const networkOrder = (value: number): number => readU16(Buffer.of(value >> 8, value & 0xff))

/** `tcm_info`: the priority in the upper half, the protocol in network order in the lower one. */
const infoOf = (priority: number, protocol: number): number => ((priority << 16) | networkOrder(protocol)) >>> 0

/** As iproute2 writes it. */
export function describeFilter(spec: FilterSpec): string {
  const { device, direction, priority, protocol, source, destination, band } = spec
  const family = protocol === 'ipv6' ? 'ip6' : 'ip'
  const words = [`dev ${device.name}`, direction, `pref ${priority}`]
  words.push(`protocol ${PROTOCOL_NAMES[protocol]}`, U32)
  if (source !== undefined) words.push(`match ${family} src ${source}`)
  if (destination !== undefined) words.push(`match ${family} dst ${destination}`)
  if (source === undefined && destination === undefined) words.push('match all')
  if (band !== undefined) words.push(`flowid 1:${band}`)
  for (const action of spec.actions) words.push(`action ${describeAction(action)}`)
  return words.join(' ')
}

/**
 * Behind the filters of the same priority, as a further one even when there is the same: look first (`findFilter`).
 * With `echo` the kernel tells of the new filter, and so of its handle.
 * ENOENT when the kernel lacks the classifier or an action (`lacksTcKind`); EINVAL when there is nothing to hang it on, or
 * the priority holds filters of another protocol or kind; ENODEV when a device has gone.
 */
export function addFilter(
  spec: FilterSpec,
  place: FilterPlace,
  { echo = false }: { readonly echo?: boolean } = {},
): Request {
  const classid = classidOf(spec)
  const options = encodeU32({
    keys: keysOf(spec),
    actions: encodeActions(spec.actions, (device) => place.indexOf(device)),
    ...(classid === undefined ? {} : { classid }),
  })
  return tcRequest(
    {
      type: MessageType.NEWTFILTER,
      flags: NLM_F_CREATE | NLM_F_EXCL | (echo ? NLM_F_ECHO : 0),
      text: `add filter ${describeFilter(spec)}`,
    },
    {
      ifindex: place.ifindex,
      parent: filterParent(spec, place),
      info: infoOf(spec.priority, PROTOCOLS[spec.protocol]),
      kind: U32,
      options,
    },
  )
}

/** That one filter; the priority may stay, empty. For one that has gone see `isAbsent`. */
export function deleteFilter(found: Filter): Request {
  const { ifindex, parent, priority, protocol, handle, kind } = found
  return tcRequest(
    { type: MessageType.DELTFILTER, flags: 0, text: `delete filter dev ${ifindex} ${describeFound(found)}` },
    { ifindex, parent, handle, info: infoOf(priority, protocol), kind },
  )
}

/**
 * The filters on one place of a device, in the order in which packets meet them; none when there is no such place. Those
 * of other chains than the first are not among them. With `priority` the kernel sorts the others out.
 * @throws NetlinkError
 */
export function listFilters(
  socket: NetlinkSocket,
  { ifindex, parent, priority = 0 }: Pick<Filter, 'ifindex' | 'parent'> & { readonly priority?: number },
): Filter[] {
  const request = tcRequest(
    { type: MessageType.GETTFILTER, flags: 0, text: `list filters dev ${ifindex} parent ${formatHandle(parent)}` },
    { ifindex, parent, info: infoOf(priority, 0), attributes: encodeAttribute(TCA_CHAIN, u32(0)) },
  )
  return socket.dump(request, { changes: MulticastGroups.TC }).flatMap((message) => parseFilter(message) ?? [])
}

/** One filter as it is now; `undefined` when there is none with its handle any more. @throws NetlinkError */
export function getFilter(socket: NetlinkSocket, known: Filter): Filter | undefined {
  const { ifindex, parent, priority, protocol, handle, kind } = known
  const text = `get filter dev ${ifindex} ${describeFound(known)}`
  const request = tcRequest(
    { type: MessageType.GETTFILTER, flags: 0, text },
    { ifindex, parent, handle, info: infoOf(priority, protocol), kind },
  )
  const [ack] = socket.request([request])
  if (ack?.error !== undefined && !isAbsent(ack.error)) throw ack.error
  return ack?.messages.map(parseFilter)[0]
}

/** Decodes RTM_NEWTFILTER or RTM_DELTFILTER; `undefined` for what is listed beside the filters. */
export function parseFilter(message: Message): Filter | undefined {
  const { ifindex, handle, parent, info, kind, options } = decodeTc(message)
  const place = { ifindex, parent, priority: info >>> 16, protocol: networkOrder(info & 0xffff), handle, kind }
  if (kind !== U32) return handle === 0 ? undefined : { ...place, keys: [], special: true, actions: [] }
  const u32Filter = parseU32(options, handle)
  return u32Filter === undefined ? undefined : { ...place, ...u32Filter, actions: parseActions(u32Filter.actions) }
}

/** What a filter matches, and how: those with the same, in one place and priority, match the same packets. */
export const matchOf = ({ protocol, keys }: Pick<Filter, 'protocol' | 'keys'>): string =>
  `${protocol} ${identityOf(keys)}`

/** The same of a filter of a plan. */
export const wantedMatch = (spec: FilterSpec): string =>
  matchOf({ protocol: PROTOCOLS[spec.protocol], keys: keysOf(spec) })

/** The one that packets of the spec meet first: same place, priority, protocol and keys, whatever it does with them. */
export function findFilter(spec: FilterSpec, place: FilterPlace, found: readonly Filter[]): Filter | undefined {
  const wanted = { parent: filterParent(spec, place), match: wantedMatch(spec) }
  return found.find(
    (filter) =>
      filter.ifindex === place.ifindex &&
      filter.parent === wanted.parent &&
      filter.priority === spec.priority &&
      !filter.special &&
      matchOf(filter) === wanted.match,
  )
}

/** `undefined` when it is there as the spec says; otherwise `missing`, or what is there instead. */
export function filterDeviation(spec: FilterSpec, place: FilterPlace, found: readonly Filter[]): string | undefined {
  const filter = findFilter(spec, place, found)
  if (filter === undefined) return 'missing'
  const actions = spec.actions.map((action) => describeAction(resolveAction(action, (device) => place.indexOf(device))))
  const same = filter.classid === classidOf(spec) && describeActions(filter) === actions.join(' ')
  return same ? undefined : describeFound(filter)
}

const describeActions = ({ actions }: Filter): string => actions.map(describeAction).join(' ')

/** As iproute2 writes it, but for the keys, which are those that were looked for. */
function describeFound({ parent, priority, kind, classid, actions }: Filter): string {
  const words = [`parent ${formatHandle(parent)} pref ${priority} ${kind}`]
  if (classid !== undefined) words.push(`flowid ${formatHandle(classid)}`)
  for (const action of actions) words.push(`action ${describeAction(action)}`)
  return words.join(' ')
}
