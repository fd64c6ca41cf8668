/** ADD: from a request to an address that answers. */
import { bitsOf, familyOf, type Ipv4 } from '../../inet/address.ts'
import { isNetnsGone, NetnsError } from '../../netlink/error.ts'
import { homeNetns, openNetns } from '../../netlink/netns.ts'
import { RT_TABLE_MAIN } from '../../netlink/plan.ts'
import { PlanError } from '../../netlink/plan-error.ts'
import { CniError, CniErrorCode } from '../cni/error.ts'
import type { AddInvocation } from '../cni/invocation.ts'
import { encodeResult } from '../cni/result.ts'
import { hostLinkName } from '../datapath/host-link-name.ts'
import { DEFAULT_ROUTE, LINK_LOCAL_GATEWAY, type PodAttachment, planPod, podMacs } from '../datapath/policy-route.ts'
import { PoolError } from '../pool/error.ts'
import { ownerOf, podKeyOf } from '../pool/model.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { type PodContext, podKey } from './context.ts'

/** A link index chosen by us can be taken by another program; it does not happen often enough to look first. */
const INDEX_ATTEMPTS = 8

/**
 * @returns the finished CNI result.
 * @throws CniError; nothing of the attempt is left then, or its removal is on record.
 */
export function add(context: PodContext, invocation: AddInvocation, signal: AbortSignal): Promise<Uint8Array> {
  const { namespace, name: pod } = invocation.pod
  return context.locks.run(podKey({ namespace, pod }), async () => {
    refuseWhenCancelled(signal)
    await refuseSecondAdd(context, invocation)
    // Looked at first: an ADD that cannot succeed must not cost the pod its older sandbox.
    const started = begin(context, invocation)
    await removeOlderSandboxes(context, invocation)
    context.endpoints.put(started)
    try {
      const ready = await attach(context, started, { invocation, signal })
      context.endpoints.put(ready)
      return result(context, ready, invocation)
    } catch (error) {
      await context.removals.start(context.endpoints.get(started) ?? started)
      throw toCniError(error, started)
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
    text: `container ${attachment.containerId} already has ${attachment.ifname} with ${existing.ip ?? 'no address yet'}`,
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
        { pod: podKey(endpoint), containerId: endpoint.containerId, newer: attachment.containerId, ip: endpoint.ip },
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
  using home = homeNetns()
  if (handle.identity === home.identity) {
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

interface Call {
  readonly invocation: AddInvocation
  readonly signal: AbortSignal
}

/** Gets an address and programs the kernel; each step is on record before it is made. */
async function attach(context: PodContext, started: Endpoint, { invocation, signal }: Call): Promise<Endpoint> {
  const { containerId, ifname, netns, namespace, pod } = started
  const expired = AbortSignal.timeout(context.acquireTimeout)
  const request = {
    ...{ owner: ownerOf(containerId, ifname), pod: podKeyOf(started, ifname), podUid: invocation.pod.uid },
    keeps: context.keepsAddress({ namespace, pod }),
  }
  const lease = await context.pool.acquire(request, AbortSignal.any([signal, expired]))
  const ip = required(lease.ipv4)
  const hostLink = hostLinkName(namespace, pod, ifname)
  refuseTakenLink(context, { ...started, hostLink })
  const others = context.endpoints.ofContainer(containerId).filter((endpoint) => endpoint.ifname !== ifname)
  const attachment: Omit<PodAttachment, 'ifindex'> = {
    ...{ containerId, ifname, netns, hostLink, ip, eniIfindex: lease.eni.ifindex },
    mtu: invocation.conf.mtu ?? context.mtu,
    defaultRoute: others.length === 0,
  }
  const held: Endpoint = { ...started, ip, eniId: lease.eni.id, hostLink }
  for (let attempt = 1; ; attempt++) {
    const plan = planPod({ ...attachment, ifindex: context.indexes.next() })
    const planned: Endpoint = { ...held, plan }
    context.endpoints.put(planned)
    try {
      context.kernel.apply(plan)
      refuseWhenCancelled(signal)
      return { ...planned, phase: 'ready', since: context.now() }
    } catch (error) {
      const taken = error instanceof PlanError && error.code === 'ifindex-taken'
      if (!taken || attempt === INDEX_ATTEMPTS) throw error
    }
  }
}

/** The datapath is one of IPv4, and so are the families of the pool. */
function required(ipv4: Ipv4 | undefined): Ipv4 {
  if (ipv4 === undefined) throw new Error('the pool gave no IPv4 address')
  return ipv4
}

/**
 * The name is a hash of namespace, pod and interface written without a separator, so two pods can have the same: the
 * pods `web` with `net1` and `webnet1` with `eth0`. The first keeps it.
 */
function refuseTakenLink({ endpoints }: PodContext, wanted: Endpoint): void {
  const holder = endpoints.all().find(({ hostLink }) => hostLink === wanted.hostLink)
  if (holder === undefined) return
  throw new CniError({
    code: CniErrorCode.endpointExists,
    reason: 'link-name-taken',
    text: `${podKey(wanted)}: its link ${wanted.hostLink} on the node is that of ${podKey(holder)} ${holder.ifname}`,
    details: 'rename one of the two pods or its interface: their names hash to the same link',
  })
}

function result(context: PodContext, endpoint: Endpoint, { attachment, conf }: AddInvocation): Uint8Array {
  const { containerId, ifname, ip, hostLink, plan } = endpoint
  if (ip === undefined || hostLink === undefined) throw new Error(`endpoint ${containerId}/${ifname} is not complete`)
  const macs = podMacs(containerId, ifname)
  const mtu = conf.mtu ?? context.mtu
  const isDefault = plan?.routes.some(({ device, table }) => device.netns === 'pod' && table === RT_TABLE_MAIN)
  return encodeResult(
    {
      interfaces: [
        { name: hostLink, mac: macs.host, mtu },
        { name: ifname, mac: macs.pod, mtu, sandbox: attachment.netns },
      ],
      ips: [{ address: ip, prefixLength: bitsOf(familyOf(ip)), gateway: LINK_LOCAL_GATEWAY, interface: 1 }],
      routes: isDefault ? [{ dst: DEFAULT_ROUTE, gw: LINK_LOCAL_GATEWAY }] : [],
    },
    conf.cniVersion,
  )
}

function toCniError(error: unknown, { namespace, pod }: Endpoint): unknown {
  const who = `${namespace}/${pod}`
  if (error instanceof PoolError) {
    const { reason, message, advice: details } = error
    return new CniError({ code: CniErrorCode.tryAgainLater, reason, text: `${who}: ${message}`, details, cause: error })
  }
  return error instanceof PlanError ? kernelError(error, who) : error
}

function kernelError(error: PlanError, who: string): CniError {
  const text = `${who}: ${error.message}`
  if (error.code === 'name-taken') {
    const details = 'the sandbox has an interface of this name that Terway did not make; another CNI plugin may have'
    return new CniError({ code: CniErrorCode.endpointExists, reason: 'interface-exists', text, details, cause: error })
  }
  if (error.code === 'netns') {
    const details = 'the sandbox ended while its network was set up; the runtime makes a new one'
    return new CniError({ code: CniErrorCode.unknownContainer, reason: 'netns-vanished', text, details, cause: error })
  }
  const details = 'the log of terwayd holds the request; "terway-cli verify" compares the node with its plans'
  return new CniError({ code: CniErrorCode.kernelFailure, reason: 'kernel-refused', text, details, cause: error })
}
