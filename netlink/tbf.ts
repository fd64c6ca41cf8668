/** Token bucket filters (sch_tbf): their parameters from a rate, and as the kernel takes and keeps them. */
import { type Attributes, decodeAttributes, encodeAttribute, readU32, u32, writeU32 } from './codec.ts'

/** linux/pkt_sched.h */
const TCA_TBF_PARMS = 1
const TCA_TBF_RATE64 = 4
const TCA_TBF_BURST = 6
/** struct tc_tbf_qopt: rate and peak rate (struct tc_ratespec, 12 bytes each), limit, buffer, mtu */
const QOPT = { length: 36, linkLayer: 1, rate: 8, limit: 24, buffer: 28 } as const
/** Without it the kernel guesses the link layer from a table of times that only old callers send. */
const TC_LINKLAYER_ETHERNET = 1
const U32_MAX = 0xffff_ffff
/** The kernel keeps times in ticks of 64 ns (PSCHED_SHIFT of net/pkt_sched.h). */
const TICKS_PER_SECOND = 1e9 / 64

/**
 * A packet that goes through the node in one piece has up to 64 KiB (GSO_LEGACY_MAX_SIZE of linux/netdevice.h), whatever
 * the MTU. One that is larger than the bucket has to be taken apart first, and TCP then falls behind the rate.
 */
const GSO_PACKET = 64 * 1024
/** The bucket fills for at least a ms, so that a timer which is as late as that costs nothing of the rate. */
const FILLS_PER_SECOND = 1000
/** Room above the MTU for headers, which count. */
const ABOVE_MTU = 1500
/** How long a packet may wait for its turn; what would wait longer is dropped, which TCP takes as its rate. */
const LATENCY_SECONDS = 0.025

export interface TbfParameters {
  /** Bytes per second. */
  readonly rate: number
  /** Bytes that may go at once. */
  readonly burst: number
  /** Bytes that may wait. */
  readonly limit: number
}

/**
 * `rate`: bytes per second, more than 0; `burst`: bytes, raised to what the rate needs; `mtu`: of the device, bytes.
 * Burst and limit end at what the kernel holds (32 bits).
 */
export function tbfOf(
  { rate, burst = 0 }: { readonly rate: number; readonly burst?: number },
  mtu: number,
): TbfParameters {
  const whole = Math.max(1, Math.floor(rate))
  const needed = Math.max(burst, GSO_PACKET, whole / FILLS_PER_SECOND, mtu + ABOVE_MTU)
  const bucket = Math.min(Math.ceil(needed), U32_MAX)
  const limit = Math.min(Math.floor(whole * LATENCY_SECONDS) + bucket, U32_MAX)
  return { rate: whole, burst: bucket, limit }
}

/** As found in the kernel, which remembers the burst as the time that it takes. */
export interface FoundTbf {
  readonly rate: number
  readonly limit: number
  /** Ticks of 64 ns that a burst lasts, of which the kernel tells the lower 32 bits. */
  readonly buffer: number
}

export function encodeTbf({ rate, burst, limit }: TbfParameters): Buffer {
  const qopt = Buffer.alloc(QOPT.length)
  qopt.writeUInt8(TC_LINKLAYER_ETHERNET, QOPT.linkLayer)
  writeU32(qopt, Math.min(rate, U32_MAX), QOPT.rate)
  writeU32(qopt, limit, QOPT.limit)
  return Buffer.concat([
    encodeAttribute(TCA_TBF_PARMS, qopt),
    ...(rate > U32_MAX ? [encodeAttribute(TCA_TBF_RATE64, bytesOf64(rate))] : []),
    // Exact, unlike the time of struct tc_tbf_qopt, which the kernel then works out itself.
    encodeAttribute(TCA_TBF_BURST, u32(burst)),
  ])
}

/** `undefined` when the options are not those of a tbf. */
export function parseTbf(options: Buffer): FoundTbf | undefined {
  const attributes = decodeAttributes(options)
  const qopt = attributes.get(TCA_TBF_PARMS)
  if (qopt === undefined || qopt.length < QOPT.length) return undefined
  return {
    rate: rate64(attributes) ?? readU32(qopt, QOPT.rate),
    limit: readU32(qopt, QOPT.limit),
    buffer: readU32(qopt, QOPT.buffer),
  }
}

const bytesOf64 = (value: number): Buffer => Buffer.from(BigUint64Array.of(BigInt(value)).buffer)

function rate64(attributes: Attributes): number | undefined {
  const bytes = attributes.get(TCA_TBF_RATE64)
  if (bytes?.length !== 8) return undefined
  const [rate] = new BigUint64Array(Uint8Array.from(bytes).buffer)
  return Number(rate)
}

/** Whether the kernel's is what `wanted` becomes there. */
export function isSameTbf(wanted: TbfParameters, found: FoundTbf): boolean {
  if (found.rate !== wanted.rate || found.limit !== wanted.limit) return false
  const ticks = (wanted.burst / wanted.rate) * TICKS_PER_SECOND
  const modulus = U32_MAX + 1
  const apart = Math.abs((ticks % modulus) - found.buffer)
  // The kernel multiplies by a reciprocal of 32 bits (psched_ratecfg_precompute) and rounds to whole ticks.
  return Math.min(apart, modulus - apart) <= 1 + ticks * 2 ** -30
}

/** As iproute2 writes it: `bps` are bytes per second, `b` bytes. */
export const describeTbf = ({ rate, burst, limit }: TbfParameters): string =>
  `rate ${rate}bps burst ${burst}b limit ${limit}b`

/** The same of one that was found, whose burst is known to a few bytes only. */
export function describeFoundTbf({ rate, buffer, limit }: FoundTbf): string {
  return describeTbf({ rate, burst: Math.round((buffer / TICKS_PER_SECOND) * rate), limit })
}
