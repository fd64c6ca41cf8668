/** What a pod's traffic may take and whose goes first: from the runtime's capability and the pod's annotations. */
import type { BandwidthLimits, NetworkPriority, RateLimit } from '../datapath/attachment.ts'
import type { NetConf } from './netconf.ts'

type Direction = 'ingress' | 'egress'

/** Units of the network configuration are bits, those of the datapath bytes. */
const BITS = 8
/** containerd and CRI-O give no burst of their own but the largest number of 32 bits, or eight times that. Bits. */
const NO_BURST = 2 ** 32 - 1
/** Kubernetes takes no other limits than 1k to 1P (k8s.io/kubernetes/pkg/util/bandwidth). Bits per second. */
const [LEAST, MOST] = [1e3, 1e15]

/** The pod's limits, and what was wrong with an annotation, which is ignored then. */
export function bandwidthOf(conf: NetConf): { readonly limits: BandwidthLimits; readonly warnings: string[] } {
  const warnings: string[] = []
  const ingress = limitOf(conf, 'ingress', warnings)
  const egress = limitOf(conf, 'egress', warnings)
  const limits = { ...(ingress === undefined ? {} : { ingress }), ...(egress === undefined ? {} : { egress }) }
  return { limits, warnings }
}

/**
 * `k8s.aliyun.com/network-priority`, when `enable_network_priority` asks for classes at all. A pod that says nothing, or
 * a word that is none of the three, is in the middle.
 */
export function priorityOf(conf: NetConf): NetworkPriority | undefined {
  if (!conf.networkPriority) return undefined
  const priority = conf.annotations['k8s.aliyun.com/network-priority']
  return priority === 'guaranteed' || priority === 'best-effort' ? priority : 'burstable'
}

/** What the runtime asks for; else the annotation of Kubernetes, of which it makes that; else Terway's older one. */
function limitOf({ bandwidth, annotations }: NetConf, direction: Direction, warnings: string[]): RateLimit | undefined {
  const bits = direction === 'ingress' ? bandwidth.ingressRate : bandwidth.egressRate
  if (bits !== undefined) {
    const burst = direction === 'ingress' ? bandwidth.ingressBurst : bandwidth.egressBurst
    return { rate: bytesOf(bits), ...(burst === undefined || burst >= NO_BURST ? {} : { burst: bytesOf(burst) }) }
  }
  for (const { key, parse, rule } of ANNOTATIONS) {
    const name = `${key}/${direction}-bandwidth`
    const text = annotations[name]?.trim() ?? ''
    if (text === '') continue
    const rate = parse(text)
    if (rate !== undefined) return { rate }
    warnings.push(`annotation ${name} ${JSON.stringify(text.slice(0, 64))} is ignored: it must be ${rule}`)
  }
  return undefined
}

const ANNOTATIONS = [
  {
    ...{ key: 'kubernetes.io', parse: rateOfQuantity },
    rule: 'a quantity of bits per second from 1k to 1P, like 10M',
  },
  {
    ...{ key: 'k8s.aliyun.com', parse: rateOfBytes },
    rule: 'a number above 0 with B, K, M, G or T bytes per second, like 1.5M',
  },
] as const

/** At least one, since none would be no limit. */
function bytesOf(bits: number): number {
  return Math.ceil(bits / BITS)
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const QUANTITY = /^\+?(\d+\.?\d*|\.\d+)(?:([numkMGTPE]?)|([KMGTPE])i|[eE]([+-]?\d{1,3}))$/
const DECIMAL = 'num kMGTPE'
const BINARY = ' KMGTPE'

function rateOfQuantity(text: string): number | undefined {
  const [, number, decimal, binary, exponent] = QUANTITY.exec(text) ?? []
  if (number === undefined) return undefined
  const scale = binary === undefined ? 10 ** decimalExponent(decimal, exponent) : 1024 ** BINARY.indexOf(binary)
  const bits = Number(number) * scale
  return bits >= LEAST && bits <= MOST ? bytesOf(bits) : undefined
}

function decimalExponent(suffix: string | undefined, exponent: string | undefined): number {
  if (exponent !== undefined) return Number(exponent)
  return suffix ? (DECIMAL.indexOf(suffix) - DECIMAL.indexOf(' ')) * 3 : 0
}

/** Multiples of 1024, and a unit there must be: `10` could mean anything. */
const BYTES = /^(\d+\.?\d*|\.\d+)(?:([KMGT])(?:I?B)?|B)$/i

function rateOfBytes(text: string): number | undefined {
  const [, number, prefix = ' '] = BYTES.exec(text) ?? []
  if (number === undefined) return undefined
  const rate = Number(number) * 1024 ** BINARY.indexOf(prefix.toUpperCase())
  return rate > 0 && rate <= MOST ? Math.ceil(rate) : undefined
}
