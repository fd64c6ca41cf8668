/** ADD: from a request to an address that answers. */
import type { LinkName } from '../../inet/link-name.ts'
import { isNetnsGone, NetnsError } from '../../netlink/error.ts'
import { isHome, openNetns } from '../../netlink/netns.ts'
import { eniGone, PlanError } from '../../netlink/plan-error.ts'
import { CniError, CniErrorCode } from '../cni/error.ts'
import type { AddInvocation } from '../cni/invocation.ts'
import { encodeResult } from '../cni/result.ts'
import type { Attachment } from '../datapath/attachment.ts'
import { problemsOf } from '../datapath/attachment-problems.ts'
import { resultOf } from '../datapath/result.ts'
import { ownerOf, podKeyOf } from '../pool/model.ts'
import { addressesOf, type Endpoint } from '../store/endpoint.ts'
import { toCniError } from './add-error.ts'
import { type NewAttachment, newAttachment, planFor } from './attach.ts'
import { type PodContext, podKey } from './context.ts'
import { within } from './deadline.ts'
import { follow } from './follow.ts'
import type { PodLease } from './leases.ts'
import type { Stopwatch } from './stopwatch.ts'

/** A link index chosen by us can be taken by another program; it does not happen often enough to look first. */
const INDEX_ATTEMPTS = 8

/** What a call has besides what it asks for. */
export interface RunningCall {
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  readonly watch: Stopwatch
}

/**
 * @returns the finished CNI result.
 * @throws CniError; nothing of the attempt is left then, or its removal is on record.
 */
export function add(context: PodContext, invocation: AddInvocation, call: RunningCall): Promise<Uint8Array> {
  const { signal, watch } = call
  const { namespace, name: pod } = invocation.pod
  return context.locks.run(podKey({ namespace, pod }), async () => {
    await context.removals.turn()
    refuseWhenCancelled(signal)
    await refuseSecondAdd(context, invocation)
    // Looked at first: an ADD that cannot succeed must not cost the pod its older sandbox.
    const started = begin(context, invocation)
    await removeOlderSandboxes(context, invocation)
    watch.lap('queue')
    context.endpoints.put(started)
    watch.lap('journal')
    try {
      const { attachment, plan, ...planned } = await attach(context, started, { invocation, ...call })
      const ready: Endpoint = { ...planned, attachment, plan, phase: 'ready', since: context.now() }
      context.endpoints.put(ready)
      watch.lap('journal')
      // What comes from their addresses must leave by them from now on.
      for (const sibling of siblingsOf(context, ready)) await follow(context, sibling)
      return encodeResult(resultOf(attachment, plan), invocation.conf.cniVersion)
    } catch (error) {
      await context.removals.start(context.endpoints.get(started) ?? started)
      throw toCniError(error, podKey(started))
    }
  })
}

/** Nobody is there to be answered, so nobody would ever use what was made. */
function refuseWhenCancelled(signal: AbortSignal): void {
  if (!signal.aborted) return
  throw new CniError({
    code: CniErrorCode.tryAgainLater,
    reason: 'cancelled',
    text: 'the plugin ended before its call was done',
    details: 'the runtime tries again with a new sandbox',
  })
}

/** What a DEL has answered for already, or an ADD has left behind, is on its way out: its end is awaited. */
async function refuseSecondAdd({ endpoints, removals }: PodContext, invocation: AddInvocation): Promise<void> {
  const { attachment, pod } = invocation
  const found = endpoints.get(attachment)
  if (found === undefined) return
  const samePod = found.namespace === pod.namespace && found.pod === pod.name
  if (found.phase !== 'ready' && samePod) await removals.start(found)
  const existing = endpoints.get(attachment)
  if (existing === undefined) return
  throw new CniError({
    code: CniErrorCode.endpointExists,
    reason: 'endpoint-exists',
    text: `container ${attachment.containerId} already has ${attachment.ifname} with ${addressesOf(existing).join() || 'no address yet'}`,
    details: 'the runtime must call DEL before it calls ADD for the same container and interface again',
  })
}

/**
 * A pod has one sandbox at a time: one with another container id has died, and its DEL is late or will never come.
 * Its host link has the name that the new one needs, so its end is awaited, also when DEL has only just begun it.
 */
async function removeOlderSandboxes(context: PodContext, { attachment, pod }: AddInvocation): Promise<void> {
  const older = context.endpoints
    .ofPod(pod.namespace, pod.name)
    .filter((endpoint) => endpoint.containerId !== attachment.containerId)
  for (const endpoint of older) {
    if (endpoint.phase === 'ready') {
      context.log.warn(
        { pod: podKey(endpoint), containerId: endpoint.containerId, newer: attachment.containerId },
        'the pod has a newer sandbox; removing the network of the older one',
      )
    }
    await context.removals.start(endpoint)
  }
}

/**
 * @throws CniError 3 when the namespace does not exist, 4 when the path is something else, 8 for the node's own, 102 when
 * it cannot be looked at.
 */
function begin(context: PodContext, { attachment, pod, conf }: AddInvocation): Endpoint {
  const { containerId, ifname, netns } = attachment
  using handle = openPodNetns(netns)
  if (isHome(handle)) {
    throw new CniError({
      code: CniErrorCode.invalidNetns,
      reason: 'netns-is-host',
      text: `CNI_NETNS ${netns} is the node's own network namespace`,
      details: 'pods with hostNetwork must not be given to a CNI plugin',
    })
  }
  const base = { containerId, ifname, netns, netnsId: handle.identity, network: conf.name }
  return { ...base, namespace: pod.namespace, pod: pod.name, phase: 'adding', since: context.now() }
}

function openPodNetns(path: string) {
  try {
    return openNetns(path)
  } catch (cause) {
    if (!(cause instanceof NetnsError)) throw cause
    if (!isNetnsGone(cause)) {
      const details = 'the log of terwayd holds the error; the number of open files or a permission may be the reason'
      const code = CniErrorCode.kernelFailure
      throw new CniError({ code, reason: 'kernel-refused', text: cause.message, details, cause })
    }
    const vanished = cause.code !== 'ENOTNETNS'
    throw new CniError({
      code: vanished ? CniErrorCode.unknownContainer : CniErrorCode.invalidEnvironment,
      reason: vanished ? 'netns-vanished' : 'netns-invalid',
      text: cause.message,
      details: vanished
        ? 'the sandbox ended before its network was set up; the runtime makes a new one'
        : 'CNI_NETNS must be the path of a network namespace',
      cause,
    })
  }
}

interface Call extends RunningCall {
  readonly invocation: AddInvocation
}

type Planned = Endpoint & Required<Pick<Endpoint, 'attachment' | 'plan'>>

/** Gets an address and programs the kernel; each step is on record before it is made. */
async function attach(context: PodContext, started: Endpoint, { invocation, signal, watch }: Call): Promise<Planned> {
  const { containerId, ifname, namespace, pod } = started
  const request = {
    ...{ owner: ownerOf(containerId, ifname), pod: podKeyOf(started, ifname), podUid: invocation.pod.uid },
    keeps: context.keepsAddress({ namespace, pod }),
  }
  const lease = await within(context.acquireTimeout, signal, (limit) => context.leases.acquire(request, limit))
  watch.lap('acquire')
  const held = withLease(started, lease)
  const attachment = newAttachment(context, { endpoint: started, conf: invocation.conf, lease })
  const placed = { ...held, hostLink: attachment.hostLink }
  refuseTakenLink(context, placed, attachment.hostLink)
  refuseProblems(context, placed, attachment)
  for (let attempt = 1; ; attempt++) {
    const indexes = { link: context.indexes.next(), peer: context.indexes.next(), shaper: context.indexes.next() }
    const attached = { ...attachment, indexes }
    try {
      const planned = { ...placed, attachment: attached, plan: planFor(placed, attached, context.host) }
      watch.lap('plan')
      await program(context, planned, watch)
      refuseWhenCancelled(signal)
      return planned
    } catch (error) {
      if (!(error instanceof PlanError)) throw error
      if (error.code === 'eni-gone' && attachment.eni !== undefined) context.enis.missed(attachment.eni.id)
      if (error.code !== 'ifindex-taken' || attempt === INDEX_ATTEMPTS) throw error
    }
  }
}

/** Rejects with PlanError. */
async function program(context: PodContext, planned: Planned, watch: Stopwatch): Promise<void> {
  context.endpoints.put(planned)
  watch.lap('journal')
  await context.links.fit(planned.attachment)
  requireEni(context, planned.attachment)
  context.kernel.apply(planned.plan)
  watch.lap('kernel')
}

/** Rules and marks can be made without the link, and would send the pod's packets nowhere. @throws PlanError */
function requireEni({ links }: PodContext, { datapath, eni, netns }: Attachment): void {
  // One that goes into the pod is asked for by its plan.
  if (eni === undefined || datapath === 'exclusive' || links.isThere(eni)) return
  const reason = `the link of ${eni.id} is not there any more`
  throw eniGone(`host, for pod namespace ${netns}`, { request: `look for ${eni.link} (${eni.ifindex})`, reason })
}

function withLease(endpoint: Endpoint, { addresses: { ipv4, ipv6 }, eni }: PodLease): Endpoint {
  return {
    ...endpoint,
    ...(ipv4 === undefined ? {} : { ip: ipv4 }),
    ...(ipv6 === undefined ? {} : { ip6: ipv6 }),
    ...(eni === undefined ? {} : { eniId: eni.id }),
  }
}

/** The pod's other interfaces. */
function siblingsOf({ endpoints }: PodContext, { containerId, ifname }: Endpoint): Endpoint[] {
  return endpoints.ofContainer(containerId).filter((endpoint) => endpoint.ifname !== ifname)
}

/**
 * The name is a hash of namespace, pod and interface written without a separator, so two pods can have the same: the
 * pods `web` with `net1` and `webnet1` with `eth0`. The first keeps it.
 */
function refuseTakenLink({ endpoints }: PodContext, wanted: Endpoint, hostLink: LinkName): void {
  const [holder] = endpoints.ofHostLink(hostLink)
  if (holder === undefined) return
  if (podKey(holder) === podKey(wanted)) throw stillThere(holder)
  throw new CniError({
    code: CniErrorCode.endpointExists,
    reason: 'link-name-taken',
    text: `${podKey(wanted)}: its link ${hostLink} on the node is that of ${podKey(holder)} ${holder.ifname}`,
    details: 'rename one of the two pods or its interface: their names hash to the same link',
  })
}

function stillThere({ hostLink, containerId, ...pod }: Endpoint): CniError {
  return new CniError({
    code: CniErrorCode.tryAgainLater,
    reason: 'older-sandbox',
    text: `${podKey(pod)}: its older sandbox ${containerId} still has the link ${hostLink}, which could not be removed`,
    details: 'the runtime tries again, and so does terwayd; its log holds the reason',
  })
}

/** What is asked for cannot be, or contradicts what the pod's other interfaces have. @throws CniError 7 */
function refuseProblems(context: PodContext, endpoint: Endpoint, wanted: NewAttachment): void {
  const others = siblingsOf(context, endpoint).flatMap(({ attachment }) => attachment ?? [])
  const problems = problemsOf([...others, { ...wanted, indexes: NOT_CHOSEN }], context.host)
  if (problems.length === 0) return
  throw new CniError({
    code: CniErrorCode.invalidConfig,
    reason: 'network-invalid',
    text: `${podKey(endpoint)}: ${problems.join('; ')}`,
    details: 'correct the CNI configuration of the network, or what the pod asks for',
  })
}

/** Nothing depends on them yet. */
const NOT_CHOSEN = { link: 0, peer: 0, shaper: 0 }
