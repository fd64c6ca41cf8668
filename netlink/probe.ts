/** What the running kernel can do. */
import { encode, encodeAttribute, formatLinkMessage, MessageType } from './codec.ts'
import { Errno } from './errno.ts'
import { NetlinkError, SystemCallError } from './error.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from './message.ts'
import type { NetnsRef } from './netns.ts'
import { getGeneration } from './nftables/request.ts'
import { NetlinkSocket } from './socket.ts'

/** linux/if_link.h */
const IFLA_INFO_KIND = 1
/** No device allows it (dev_validate_mtu of net/core/dev.c: it is negative), which is looked at after the kind. */
const IMPOSSIBLE_MTU = 0xffffffff

/**
 * Whether links of the kind can be made, `ipvlan`, `vlan`; the kernel loads the module when it can. Nothing is made.
 * @throws NetlinkError EPERM without CAP_NET_ADMIN; NetnsError, SystemCallError.
 */
export function supportsLinkKind(kind: string, { netns }: { readonly netns?: NetnsRef } = {}): boolean {
  const linkinfo = encodeAttribute(IFLA_INFO_KIND, Buffer.from(kind))
  using socket = NetlinkSocket.open(netns === undefined ? {} : { netns })
  const [ack] = socket.request([
    {
      type: MessageType.NEWLINK,
      flags: NLM_F_CREATE | NLM_F_EXCL,
      payload: encode((out) =>
        formatLinkMessage({ kind: 'link', data: {}, attrs: { mtu: IMPOSSIBLE_MTU, linkinfo } }, out),
      ),
      text: `ask for link type ${kind}`,
    },
  ])
  if (ack?.error?.errno === Errno.EPERM) throw ack.error
  return ack?.error?.errno !== Errno.EOPNOTSUPP
}

/** Of a subsystem of netfilter that it does not have, the kernel says EINVAL (nfnetlink_rcv_msg). */
const NO_NFTABLES: readonly number[] = [Errno.EINVAL, Errno.EPROTONOSUPPORT]

/** Whether there is nf_tables; the kernel loads the module. @throws NetlinkError, SystemCallError, NetnsError */
export function supportsNftables({ netns }: { readonly netns?: NetnsRef } = {}): boolean {
  try {
    using socket = NetlinkSocket.open({ protocol: 'netfilter', ...(netns === undefined ? {} : { netns }) })
    socket.get(getGeneration())
    return true
  } catch (error) {
    const failed = error instanceof NetlinkError || error instanceof SystemCallError
    if (failed && NO_NFTABLES.includes(error.errno)) return false
    throw error
  }
}
