/** The verbs besides ADD. */
import type { Difference, NetworkPlan } from '../../netlink/plan.ts'
import { CniError, CniErrorCode } from '../cni/error.ts'
import type { CheckInvocation, DelInvocation, GcInvocation } from '../cni/invocation.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { NODE, type PodContext, podKey } from './context.ts'
import type { Stopwatch } from './stopwatch.ts'

/**
 * DEL needs nothing but the container id and interface name, and finds nothing wrong with what is not there: an unknown
 * container, a vanished namespace and a repeated DEL all succeed.
 */
export async function del(
  context: PodContext,
  { detachment }: Pick<DelInvocation, 'detachment'>,
  watch?: Stopwatch,
): Promise<void> {
  const endpoint = context.endpoints.get(detachment)
  if (endpoint === undefined) return
  // An ADD of the same container may still be under way; its record is there from its first moment.
  await context.locks.run(podKey(endpoint), async () => {
    await context.removals.turn()
    watch?.lap('queue')
    const current = context.endpoints.get(detachment)
    // Not awaited: the reaper confirms the link's end later, and the journal keeps the endpoint until then.
    if (current !== undefined) void context.removals.start(current, watch)
  })
}

/**
 * @throws CniError 3 when the container is unknown, 103 naming each difference between the kernel and its plan, or what
 * the node and its ENI need for it.
 */
export async function check(context: PodContext, { attachment }: CheckInvocation): Promise<void> {
  const endpoint = context.endpoints.get(attachment)
  if (endpoint?.plan === undefined || endpoint.phase !== 'ready') {
    throw new CniError({
      code: CniErrorCode.unknownContainer,
      reason: 'endpoint-unknown',
      text: `container ${attachment.containerId} has no ${attachment.ifname} on this node`,
      details: 'the runtime must call ADD first',
    })
  }
  const differences = context.kernel.verifyAll([endpoint.plan, ...sharedPlans(context, endpoint)]).flat()
  if (differences.length === 0) return
  throw new CniError({
    code: CniErrorCode.kernelDiffers,
    reason: 'kernel-differs',
    text: `${podKey(endpoint)}: ${differences.map(describe).join('; ')}`,
    details: '"terway-cli verify" shows the same for every pod of the node',
  })
}

/** What the pod's packets need besides, of the node and of its ENI. */
function sharedPlans({ enis }: PodContext, { attachment }: Endpoint): NetworkPlan[] {
  return enis.plans().flatMap(([owner, plan]) => {
    const isOfEni = plan.links.some(({ ifindex }) => ifindex === attachment?.eni?.ifindex)
    return owner === NODE || isOfEni ? [plan] : []
  })
}

function describe({ netns, object, subject, problem, found }: Difference): string {
  const where = netns === 'pod' ? 'in the pod' : 'on the node'
  return `${object} ${subject} ${where} is ${problem}${found === undefined ? '' : ` (found ${found})`}`
}

/**
 * Removes every endpoint of this network that is not in the list, and goes on over failures.
 * @throws CniError 100 that names what could not be removed.
 */
export async function gc(context: PodContext, { validAttachments, conf }: GcInvocation): Promise<void> {
  const valid = new Set(validAttachments.map(({ containerId, ifname }) => `${containerId}/${ifname}`))
  const stale = context.endpoints
    .all()
    .filter(({ network }) => network === conf.name)
    .filter(({ containerId, ifname }) => !valid.has(`${containerId}/${ifname}`))
  await Promise.all(
    stale.map((endpoint) =>
      context.locks.run(podKey(endpoint), async () => {
        await context.removals.turn()
        const current = context.endpoints.get(endpoint)
        if (current === undefined) return
        context.log.info({ pod: podKey(endpoint), containerId: endpoint.containerId }, 'removing a stale attachment')
        await context.removals.start(current)
      }),
    ),
  )
  const left = stale.filter((endpoint) => context.endpoints.get(endpoint) !== undefined)
  if (left.length === 0) return
  throw new CniError({
    code: CniErrorCode.internal,
    reason: 'gc-incomplete',
    text: `could not remove ${left.map((endpoint) => `${endpoint.containerId}/${endpoint.ifname}`).join(', ')}`,
    details: 'the log of terwayd holds the reasons; the daemon tries again by itself',
  })
}
