/** How often each action may be called: the defaults and what the configuration says. */
import type { Limit } from './token-bucket.ts'

/** `rate_limit` of the configuration, in the three spellings that exist; the more specific one wins. */
export interface RateLimitConf {
  /** Calls per minute by the API's name of the action, as the original's `rateLimit`. */
  readonly perAction?: Readonly<Record<string, number>>
  /** Calls per second of CreateNetworkInterface and as many of AttachNetworkInterface: an ENI needs both. */
  readonly eniCreateQps?: number
  /** The same of DetachNetworkInterface and of DeleteNetworkInterface. */
  readonly eniDeleteQps?: number
  /** The same of AssignPrivateIpAddresses and of AssignIpv6Addresses. */
  readonly ipAssignQps?: number
  /** The same of UnassignPrivateIpAddresses and of UnassignIpv6Addresses. */
  readonly ipUnassignQps?: number
  /** Calls of one action that may start at once, for every action. */
  readonly burstSize?: number
}

/**
 * Calls per minute of the original's client. Those of an account differ and can be raised on request; the API throttles
 * when they are too high, and the budget slows down then.
 */
const PER_MINUTE: Readonly<Record<string, number>> = {
  CreateNetworkInterface: 500,
  AttachNetworkInterface: 500,
  DeleteNetworkInterface: 500,
  DescribeNetworkInterfaces: 800,
  DescribeNetworkInterfaceAttribute: 2000,
  DetachNetworkInterface: 400,
  AssignPrivateIpAddresses: 400,
  UnassignPrivateIpAddresses: 400,
  AssignIpv6Addresses: 400,
  UnassignIpv6Addresses: 400,
  DescribeInstanceTypes: 400,
  DescribeVSwitches: 300,
}
/** Of every other action. */
const OTHERS_PER_MINUTE = 500

/** Actions that each of the `…Qps` settings speaks of. */
const QPS_ACTIONS = {
  eniCreateQps: ['CreateNetworkInterface', 'AttachNetworkInterface'],
  eniDeleteQps: ['DetachNetworkInterface', 'DeleteNetworkInterface'],
  ipAssignQps: ['AssignPrivateIpAddresses', 'AssignIpv6Addresses'],
  ipUnassignQps: ['UnassignPrivateIpAddresses', 'UnassignIpv6Addresses'],
} as const

/**
 * One in fifty of the calls of a minute may start at once, ten for creating ENIs: about all the ENIs of one node. More
 * would help no node, and all nodes of an account draw on the same limit: when a hundred of them start together, their
 * bursts come on top of each other.
 */
const BURST_DIVISOR = 50

/** The limit of an action, by its name. @throws RangeError for a configured number that is not above 0 */
export function actionLimits(conf: RateLimitConf = {}): (action: string) => Limit {
  const perMinute = callsPerMinute(conf)
  const burst = conf.burstSize === undefined ? undefined : positive('burstSize', conf.burstSize)
  return (action) => limitOf(perMinute.get(action) ?? OTHERS_PER_MINUTE, burst)
}

/**
 * What `burstSize` costs, for the log: actions whose steady rate it lowers by more than a tenth, since a burst is taken
 * from the minute's calls. @throws RangeError as actionLimits does
 */
export function burstWarnings(conf: RateLimitConf): string[] {
  const { burstSize } = conf
  if (burstSize === undefined) return []
  const limits = actionLimits(conf)
  const dear = [...callsPerMinute(conf)].flatMap(([action, calls]) => {
    const steady = 60 * limits(action).perSecond
    return steady < 0.9 * calls ? [`${action} (${Math.round(steady)} of ${calls} a minute)`] : []
  })
  return dear.length === 0
    ? []
    : [`burst_size ${burstSize} leaves less than nine tenths as the steady rate of ${dear.join(', ')}`]
}

/** Of the actions that have a number of their own. */
function callsPerMinute(conf: RateLimitConf): Map<string, number> {
  const perMinute = new Map(Object.entries(PER_MINUTE))
  for (const name of ['eniCreateQps', 'eniDeleteQps', 'ipAssignQps', 'ipUnassignQps'] as const) {
    const qps = conf[name]
    if (qps !== undefined) for (const action of QPS_ACTIONS[name]) perMinute.set(action, 60 * positive(name, qps))
  }
  for (const [action, calls] of Object.entries(conf.perAction ?? {})) perMinute.set(action, positive(action, calls))
  return perMinute
}

/**
 * The limit under which no 60 seconds see more than so many calls. The API counts in fixed windows of a minute whose
 * start nobody knows: a bucket that holds a whole minute's calls and refills at the whole rate could put twice the limit
 * into one of them. So the refill is less by the burst: with `burst` tokens at its start, a time below 60 s sees fewer
 * than `burst + 60 × perSecond = calls + 1`. A burst is at most half of the calls, or the refill would all but stop.
 */
export function limitOf(callsPerMinute: number, burst = Math.round(callsPerMinute / BURST_DIVISOR)): Limit {
  const atOnce = Math.max(1, Math.min(Math.floor(burst), Math.floor(callsPerMinute / 2)))
  return { burst: atOnce, perSecond: (callsPerMinute - atOnce + 1) / 60 }
}

function positive(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value
  throw new RangeError(`the rate limit ${name} must be a number above 0, not ${value}`)
}
