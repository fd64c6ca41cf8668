/** Queueing disciplines of a device: requests that make and remove them, and what the kernel says of them. */
import { MessageType, MulticastGroups, readI32 } from './codec.ts'
import { type Message, NLM_F_CREATE, NLM_F_REPLACE, type Request } from './message.ts'
import type { ClsactSpec, QdiscSpec, TbfSpec } from './plan.ts'
import type { NetlinkSocket } from './socket.ts'
import { describeFoundTbf, describeTbf, encodeTbf, type FoundTbf, parseTbf } from './tbf.ts'
import {
  CLSACT_HANDLE,
  decodeTc,
  formatHandle,
  ifindexOf,
  ROOT_HANDLE,
  TC_H_CLSACT,
  TC_H_ROOT,
  tcRequest,
} from './tc-message.ts'

/** A qdisc of the kernel. */
export interface Qdisc {
  readonly ifindex: number
  /** `noqueue`, `tbf`, … */
  readonly kind: string
  /** 0 for those that the kernel made by itself. */
  readonly handle: number
  readonly parent: number
  readonly tbf?: FoundTbf
  /** Of prio. */
  readonly bands?: number
}

/** As iproute2 writes it. */
export function describeQdisc(spec: QdiscSpec): string {
  const parameters = spec.kind === 'tbf' ? ` root ${describeTbf(spec)}` : ''
  return `${spec.kind} dev ${spec.device.name}${parameters}`
}

/** The same of one that was found. */
export function describeFoundQdisc({ kind, handle, parent, tbf, bands }: Qdisc): string {
  const words = [kind, formatHandle(handle), parent === TC_H_ROOT ? 'root' : `parent ${formatHandle(parent)}`]
  if (tbf !== undefined) words.push(describeFoundTbf(tbf))
  if (bands !== undefined) words.push(`bands ${bands}`)
  return words.join(' ')
}

/**
 * A tbf takes the place of the kernel's own root qdisc, or its parameters that of another tbf's: EINVAL when a qdisc of
 * another kind has the handle 1:, which has to go first. A clsact stays as it is; EINVAL when an ingress qdisc has its
 * place. ENOENT when the kernel lacks the kind (`lacksTcKind`). For prio see `ensurePrio`.
 */
export function addQdisc(spec: TbfSpec | ClsactSpec, ifindex: number): Request {
  const text = `add qdisc ${describeQdisc(spec)}`
  const type = MessageType.NEWQDISC
  if (spec.kind === 'clsact') {
    const place = { ifindex, parent: TC_H_CLSACT, handle: CLSACT_HANDLE }
    return tcRequest({ type, flags: NLM_F_CREATE, text }, { ...place, kind: spec.kind })
  }
  const place = { ifindex, parent: TC_H_ROOT, handle: ROOT_HANDLE }
  const flags = NLM_F_CREATE | NLM_F_REPLACE
  return tcRequest({ type, flags, text }, { ...place, kind: spec.kind, options: encodeTbf(spec) })
}

/**
 * A tbf goes only when it is one, and a prio only while the root is 1: as it was made; the kernel puts its own in the
 * place. Filters of a clsact go with it. When there is nothing to delete see `isAbsent`.
 */
export function deleteQdisc(spec: QdiscSpec, ifindex: number): Request {
  const request = { type: MessageType.DELQDISC, flags: 0, text: `delete qdisc ${describeQdisc(spec)}` }
  switch (spec.kind) {
    case 'tbf':
      return tcRequest(request, { ifindex, parent: TC_H_ROOT, kind: spec.kind })
    case 'clsact':
      return tcRequest(request, { ifindex, parent: TC_H_CLSACT, handle: CLSACT_HANDLE, kind: spec.kind })
    case 'prio':
      return tcRequest(request, { ifindex, parent: TC_H_ROOT, handle: ROOT_HANDLE })
  }
}

/**
 * Of one device, or of all: the kernel goes through all in either case. Those inside others that nobody asked for are
 * not listed (the queue of a tbf).
 * @throws NetlinkError
 */
export function listQdiscs(socket: NetlinkSocket, { ifindex }: { readonly ifindex?: number } = {}): Qdisc[] {
  const text = `list qdiscs${ifindex === undefined ? '' : ` dev ${ifindex}`}`
  const request = tcRequest({ type: MessageType.GETQDISC, flags: 0, text }, { ifindex: ifindex ?? 0 })
  const messages = socket.dump(request, { changes: MulticastGroups.TC })
  return messages.filter((message) => ifindex === undefined || ifindexOf(message) === ifindex).map(parseQdisc)
}

/** Decodes RTM_NEWQDISC or RTM_DELQDISC. */
export function parseQdisc(message: Message): Qdisc {
  const { ifindex, kind, handle, parent, options } = decodeTc(message)
  const tbf = kind === 'tbf' ? parseTbf(options) : undefined
  return {
    ...{ ifindex, kind, handle, parent },
    ...(tbf === undefined ? {} : { tbf }),
    // struct tc_prio_qopt begins with it.
    ...(kind === 'prio' && options.length >= 4 ? { bands: readI32(options) } : {}),
  }
}

/** What all packets that leave the device go through; `found` are the qdiscs of that device. */
export const rootOf = (found: readonly Qdisc[]): Qdisc | undefined => found.find(({ parent }) => parent === TC_H_ROOT)
