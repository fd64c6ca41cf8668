/** Batches of nfnetlink: what stands between their frames is carried out as one transaction (nfnetlink_rcv_batch). */
import type { Request } from './message.ts'

/** linux/netfilter/nfnetlink.h */
const NFNL_MSG_BATCH_BEGIN = 0x10
const NFNL_MSG_BATCH_END = 0x11

/** The requests between their frames. `subsystem` is NFNL_SUBSYS_…, the one that all of them are for. */
export function transaction(subsystem: number, requests: readonly Request[]): Request[] {
  const [first] = requests
  const more = requests.length > 1 ? ` and ${requests.length - 1} more` : ''
  // struct nfgenmsg: family, version, number of a resource in the order of the network
  const payload = Buffer.of(0, 0, subsystem >> 8, subsystem & 0xff)
  const frame = (type: number): Request => ({
    type,
    flags: 0,
    payload,
    text: `${first?.text ?? 'nothing'}${more}`,
    frame: true,
  })
  return [frame(NFNL_MSG_BATCH_BEGIN), ...requests, frame(NFNL_MSG_BATCH_END)]
}
