/** Decoding of the network configuration that a runtime passes on standard input. */
import { z } from 'zod'
import { type Cidr, parseCidr } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import { type ContainerId, parseAttachmentKey } from '../../proto/cni-environment.ts'
import { CniError, CniErrorCode } from '../../proto/cni-error.ts'
import { type CniVerb, type CniVersion, parseCniVersion } from '../../proto/cni-version.ts'
import { lowerCaseKeys, RUNTIME_CONFIG, type RuntimeConfig } from './runtime-config.ts'

/** The keys every verb needs, DEL included. */
export interface NetConfHeader {
  /** The version the answer must have. */
  readonly cniVersion: CniVersion
  /** Name of the network. */
  readonly name: string
}

export interface NetConf extends NetConfHeader {
  /** `eniip_virtual_type`, in any casing. */
  readonly virtualType: 'veth' | 'ipvlan' | 'datapathv2'
  /** `vlan_strip_type`, how a pod of a trunk gets its VLAN: undefined leaves it to the daemon. */
  readonly vlanStripType: 'vlan' | 'filter' | undefined
  /** `host_stack_cidrs`: destinations that a pod reaches through the stack of its node. */
  readonly hostStackCidrs: readonly Cidr[]
  /** `extra_routes`: destinations that a pod reaches by its interface besides. */
  readonly extraRoutes: readonly Cidr[]
  /** Bytes; undefined when the configuration leaves it to the daemon. */
  readonly mtu: number | undefined
  /** `disable_host_peer` */
  readonly disableHostPeer: boolean
  /** `enable_network_priority` */
  readonly networkPriority: boolean
  /** `runtimeConfig.bandwidth`, the limits that the runtime asks for this pod. */
  readonly bandwidth: RuntimeConfig['bandwidth']
  /** Of the pod, where the runtime gives them. */
  readonly annotations: RuntimeConfig['annotations']
  /** The result of the plugins before this one, as it came. */
  readonly prevResult: Readonly<Record<string, unknown>> | undefined
  /** The attachments that GC must keep; undefined when the runtime did not say, which is not an empty list. */
  readonly validAttachments: readonly AttachmentKey[] | undefined
}

export interface AttachmentKey {
  readonly containerId: ContainerId
  readonly ifname: LinkName
}

/** `IP_MIN_MTU` would be 68; 576 is what every IPv4 host must accept whole (RFC 791, section 3.1). */
const MTU_MIN = 576
/** The length field of an IP packet has 16 bits. */
const MTU_MAX = 65_535

/** What the host link's name begins with: daemon/datapath/host-link-name.ts. */
const HOST_LINK_PREFIX = 'cali'

const must = (what: string) => ({ error: `must be ${what}` })
const text = z.string(must('a string'))
/** Some runtimes and operators write booleans as text. */
const flag = z
  .union([z.boolean(), z.enum(['true', 'false']).transform((value) => value === 'true')], must('true or false'))
  .nullish()
const cidr = text.transform((value, context) => {
  try {
    return parseCidr(value)
  } catch {
    // The issue takes the place of the exception, so that all wrong keys are reported together.
    context.addIssue({ code: 'custom', message: 'must be a prefix like 10.0.0.0/8' })
    return z.NEVER
  }
})
/** A prefix, or the object that the CNI specification has for a route; its next hop is always the gateway. */
const route = z.union([cidr, z.object({ dst: cidr }).transform(({ dst }) => dst)], must('a prefix or {"dst": PREFIX}'))
const attachments = z
  .array(z.object({ containerID: text, ifname: text }, must('an object')), must('a list of attachments'))
  .transform((list, context) => {
    try {
      return list.map(({ containerID, ifname }) => parseAttachmentKey({ containerId: containerID, ifname }))
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
      return z.NEVER
    }
  })
  .nullish()

const HEADER = z.object({
  cniVersion: text.nullish(),
  // CNI specification 1.1, "Configuration format": the same rule as for a container id.
  name: text.regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, must('letters, digits, "_", "." and "-", the first not a sign')),
  type: text.nullish(),
})

const VERSION = HEADER.pick({ cniVersion: true })

const MTU_RULE = must(`a whole number from ${MTU_MIN} to ${MTU_MAX}, or 0 for the default`)
const NETCONF = HEADER.extend({
  eniip_virtual_type: text
    .transform((value) => value.toLowerCase())
    .pipe(z.enum(['', 'veth', 'ipvlan', 'datapathv2'], must('"veth", "ipvlan" or "datapathv2"')))
    .nullish(),
  vlan_strip_type: text
    .transform((value) => value.toLowerCase())
    .pipe(z.enum(['', 'vlan', 'filter'], must('"vlan" or "filter"')))
    .nullish(),
  host_stack_cidrs: z.array(cidr, must('a list of prefixes')).nullish(),
  extra_routes: z.array(route, must('a list of prefixes')).nullish(),
  veth_prefix: text.nullish(),
  mtu: z
    .int(MTU_RULE)
    .refine((value) => value === 0 || (value >= MTU_MIN && value <= MTU_MAX), MTU_RULE)
    .nullish(),
  disable_host_peer: flag,
  enable_network_priority: flag,
  runtimeConfig: RUNTIME_CONFIG,
  prevResult: z.record(z.string(), z.unknown(), must('an object')).nullish(),
  'cni.dev/valid-attachments': attachments,
  'cni.dev/attachments': attachments,
})

/** @throws CniError 6 when the bytes are not JSON in UTF-8, 7 when it is not an object. */
function parseJsonObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new CniError({
      code: CniErrorCode.decodeFailure,
      reason: 'config-malformed',
      text: `the network configuration is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      details: 'correct the CNI configuration file of the network',
      cause,
    })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidConfig(['the network configuration must be a JSON object'])
  }
  return { ...value }
}

function invalidConfig(problems: readonly string[]): CniError {
  return new CniError({
    code: CniErrorCode.invalidConfig,
    reason: 'config-invalid',
    text: problems.join('; '),
    details: 'correct the CNI configuration file of the network',
  })
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    root,
  )
}

/** `mtu must be …, not "big"`; a value is cut, since anything may stand there. */
function describe(issue: z.core.$ZodIssue, input: unknown): string {
  const value = valueAt(input, issue.path)
  const found = value === undefined ? 'it is missing' : `not ${JSON.stringify(value).slice(0, 80)}`
  return `${issue.path.map(String).join('.')} ${issue.message}, ${found}`
}

function decode<Output>(schema: z.ZodType<Output>, value: Readonly<Record<string, unknown>>): Output {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const lowered = { ...value, runtimeConfig: lowerCaseKeys(value.runtimeConfig) }
  throw invalidConfig(result.error.issues.map((issue) => describe(issue, lowered)))
}

/** @throws CniError 1 before anything else is looked at: other versions may give other keys other meanings. */
function versionOf(value: Readonly<Record<string, unknown>>, verb: CniVerb): CniVersion {
  const { cniVersion } = decode(VERSION, value)
  return parseCniVersion(cniVersion ?? '', verb)
}

/**
 * The keys that DEL needs. A mistake in any other key must not keep a pod from being removed.
 * @throws CniError 1, 6 or 7.
 */
export function parseNetConfHeader(bytes: Uint8Array, verb: CniVerb): NetConfHeader {
  const value = parseJsonObject(bytes)
  const cniVersion = versionOf(value, verb)
  return { cniVersion, name: decode(HEADER, value).name }
}

/**
 * The whole configuration. Unknown keys belong to other plugins or newer runtimes and are ignored; null is absent.
 * @throws CniError 1 for a version that is not supported or does not know the verb, 2 for what Terway cannot do, 6 for
 * bytes that are not JSON, 7 for a missing key or a wrong value, naming key, value and what is allowed.
 */
export function parseNetConf(bytes: Uint8Array, verb: CniVerb): NetConf {
  const value = parseJsonObject(bytes)
  const cniVersion = versionOf(value, verb)
  const conf = decode(NETCONF, value)
  refuseVethPrefix(conf.veth_prefix)
  return {
    cniVersion,
    name: conf.name,
    virtualType: conf.eniip_virtual_type || 'veth',
    vlanStripType: conf.vlan_strip_type || undefined,
    hostStackCidrs: conf.host_stack_cidrs ?? [],
    extraRoutes: conf.extra_routes ?? [],
    mtu: conf.mtu || undefined,
    disableHostPeer: conf.disable_host_peer ?? false,
    networkPriority: conf.enable_network_priority ?? false,
    ...conf.runtimeConfig,
    prevResult: conf.prevResult ?? undefined,
    // Runtimes built on libcni 1.2.0 to 1.2.2 send only the first key, later ones both, the second for old plugins.
    validAttachments: conf['cni.dev/valid-attachments'] ?? conf['cni.dev/attachments'] ?? undefined,
  }
}

/** @throws CniError 2: what cannot be done is not passed over in silence. */
function refuseVethPrefix(prefix: string | null | undefined): void {
  if (!prefix || prefix === HOST_LINK_PREFIX) return
  const found = JSON.stringify(prefix.slice(0, 64))
  throw new CniError({
    code: CniErrorCode.unsupportedField,
    reason: 'config-unsupported',
    text: `veth_prefix ${found}: pods' links on the node are named ${HOST_LINK_PREFIX}…, by which policy engines find them`,
    details: `remove veth_prefix from the CNI configuration file of the network, or set it to "${HOST_LINK_PREFIX}"`,
  })
}
