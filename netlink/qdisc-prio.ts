/**
 * Three bands for the packets that leave a device: those of the first go first (sch_prio).
 *
 * A device with several transmission queues has such a qdisc on each, below an mq; one for all queues would take away
 * what they are for.
 */
import { MessageType, writeU32 } from './codec.ts'
import { Errno } from './errno.ts'
import { NLM_F_CREATE, NLM_F_REPLACE, type Request } from './message.ts'
import { describeFoundQdisc, listQdiscs, type Qdisc, rootOf } from './qdisc.ts'
import type { NetlinkSocket } from './socket.ts'
import { formatHandle, majorOf, ROOT_HANDLE, TC_H_ROOT, tcRequest } from './tc-message.ts'

const BANDS = 3
/** The band of packets that no filter has put into one, by their priority of 0 to 15: sch_generic.c's own choice. */
const BAND_OF_PRIORITY = [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]

/** struct tc_prio_qopt of linux/pkt_sched.h */
function prioOptions(): Buffer {
  const bands = Buffer.alloc(4)
  writeU32(bands, BANDS, 0)
  return Buffer.concat([bands, Buffer.from(BAND_OF_PRIORITY)])
}

interface Place {
  readonly ifindex: number
  readonly parent: number
  readonly handle?: number
}

function replaceWith(place: Place, kind: 'mq' | 'prio'): Request {
  const text = `add qdisc ${kind} dev ${place.ifindex} parent ${formatHandle(place.parent)}`
  const object = { ...place, kind, ...(kind === 'prio' ? { options: prioOptions() } : {}) }
  return tcRequest({ type: MessageType.NEWQDISC, flags: NLM_F_CREATE | NLM_F_REPLACE, text }, object)
}

const isPrio = ({ kind, bands }: Qdisc): boolean => kind === 'prio' && bands === BANDS

/** An mq that somebody made: the queues of the kernel's own (0:) cannot be named. */
const isMq = ({ kind, handle }: Qdisc): boolean => kind === 'mq' && handle !== 0

/** Those on which packets are sorted, or should be: the queues of an mq, or the root. */
function sorting(found: readonly Qdisc[]): readonly Qdisc[] {
  const root = rootOf(found)
  if (root === undefined) return []
  return isMq(root) ? found.filter(({ parent }) => majorOf(parent) === root.handle) : [root]
}

/** Of the qdiscs of one device, the handles of the prio ones, which filters hang on. */
export const prioHandles = (found: readonly Qdisc[]): readonly number[] =>
  sorting(found)
    .filter(isPrio)
    .map(({ handle }) => handle)

/** As `qdiscDeviation`. */
export function prioDeviation(found: readonly Qdisc[]): string | undefined {
  const places = sorting(found)
  const others = places.filter((qdisc) => !isPrio(qdisc))
  if (places.length > 0 && others.length === 0) return undefined
  const strange = others.find(({ handle }) => handle !== 0)
  return strange === undefined ? 'missing' : describeFoundQdisc(strange)
}

/**
 * Makes what is not there yet, in place of the kernel's own; what is as it should be keeps its filters.
 * @returns a qdisc that somebody else put in the place: it stays.
 * @throws NetlinkError; ENOENT when the kernel has no prio (`lacksTcKind`), EINVAL or ENODEV when the device has gone.
 */
export function ensurePrio(socket: NetlinkSocket, ifindex: number): Qdisc | undefined {
  let found = listQdiscs(socket, { ifindex })
  const root = rootOf(found)
  if (root === undefined || (!isMq(root) && !isPrio(root))) {
    if (root !== undefined && isForeign(root)) return root
    makeRoot(socket, ifindex)
    found = listQdiscs(socket, { ifindex })
  }
  const places = sorting(found).filter((qdisc) => !isPrio(qdisc))
  const free = places.filter((qdisc) => !isForeign(qdisc))
  socket.execute(free.map(({ parent }) => replaceWith({ ifindex, parent }, 'prio')))
  return places.find(isForeign)
}

/** The kernel's own have no handle, and nothing but defaults in them. */
const isForeign = ({ handle }: Qdisc): boolean => handle !== 0

/** An mq where the device has several queues, which only the attempt tells. */
function makeRoot(socket: NetlinkSocket, ifindex: number): void {
  const place = { ifindex, parent: TC_H_ROOT, handle: ROOT_HANDLE }
  const [ack] = socket.request([replaceWith(place, 'mq')])
  if (ack?.error === undefined) return
  if (ack.error.errno !== Errno.EOPNOTSUPP) throw ack.error
  socket.execute([replaceWith(place, 'prio')])
}
