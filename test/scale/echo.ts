/**
 * Round trips of ICMP echoes, timed in this process: ping(8) adds some ten times what a packet takes on its way through
 * the node, which is what is to be measured.
 */
import { type Ip, ipToBytes } from '../../inet/address.ts'
import { writeU16 } from '../../netlink/codec.ts'
import * as ffi from '../../netlink/ffi.ts'
import { type Netns, withNetns } from '../../netlink/netns.ts'

const IPPROTO_ICMP = 1
/** RFC 792 */
const ECHO_REQUEST = 8
const ECHO_REPLY = 0
/** Bytes of an IPv4 header without options, in front of what a raw socket receives. */
const IP_HEADER = 20
/** Bytes of payload, as ping(8) has it. */
const PAYLOAD = 56
const PATIENCE_SECONDS = 2n

export class Echo implements Disposable {
  readonly #fd: number
  readonly #to: Buffer
  readonly #from = Buffer.alloc(16)
  readonly #request = Buffer.alloc(8 + PAYLOAD)
  readonly #answer = Buffer.alloc(256)
  #sequence = 0

  /** From within the namespace to an IPv4 address. */
  constructor(netns: Netns, to: Ip) {
    this.#fd = withNetns(netns, () => ffi.socket({ domain: ffi.AF_INET, type: ffi.SOCK_RAW, protocol: IPPROTO_ICMP }))
    const patience = Buffer.from(BigInt64Array.of(PATIENCE_SECONDS, 0n).buffer) // struct timeval
    ffi.setsockopt(this.#fd, { level: ffi.SOL_SOCKET, name: ffi.SO_RCVTIMEO, value: patience })
    this.#to = Buffer.alloc(16) // struct sockaddr_in
    writeU16(this.#to, ffi.AF_INET, 0)
    this.#to.set(ipToBytes(to), 4)
  }

  /** @returns µs. @throws Error when there is no answer. */
  roundTrip(): number {
    const sequence = this.#next()
    const began = process.hrtime.bigint()
    ffi.sendto(this.#fd, this.#request, this.#to)
    while (!this.#receives(sequence));
    return Number(process.hrtime.bigint() - began) / 1_000
  }

  [Symbol.dispose](): void {
    ffi.close(this.#fd)
  }

  #next(): number {
    this.#sequence = (this.#sequence + 1) & 0xffff
    this.#request.writeUInt8(ECHO_REQUEST, 0)
    this.#request.writeUInt16BE(0, 2)
    this.#request.writeUInt16BE(this.#sequence, 6)
    this.#request.writeUInt16BE(checksum(this.#request), 2)
    return this.#sequence
  }

  /** Another one's answer is of no interest. */
  #receives(sequence: number): boolean {
    const length = ffi.recvfrom(this.#fd, this.#answer, { from: this.#from, flags: 0 })
    if (length === undefined) throw new Error(`no answer within ${PATIENCE_SECONDS} s`)
    const isReply = length > IP_HEADER && this.#answer.readUInt8(IP_HEADER) === ECHO_REPLY
    return isReply && this.#answer.readUInt16BE(IP_HEADER + 6) === sequence
  }
}

/** RFC 1071 */
function checksum(bytes: Buffer): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += bytes.readUInt16BE(i)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
