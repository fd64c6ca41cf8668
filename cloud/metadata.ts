/** The instance metadata service: what a node can learn of itself without a credential, and its role's credential. */
import { z } from 'zod'
import { type Ipv4, type Mac, parseIpv4, parseMac } from '../inet/address.ts'
import { advisedError } from './advised-error.ts'
import { REAL_CLOCK } from './clock.ts'
import type { TimedCredential } from './credentials/credential.ts'
import { parseAnswer, parseIssued } from './credentials/issued.ts'
import type { Patience } from './http-exchange.ts'
import { type InstanceId, parseCloudId, type RegionId, type VpcId, type VSwitchId, type ZoneId } from './ids.ts'
import { type EniFacts, parseMacs, readEniFacts } from './metadata/eni-facts.ts'
import { badAnswer, MetadataSession } from './metadata/session.ts'

/** Fixed address of the service in every VPC. */
export const METADATA_ENDPOINT = 'http://100.100.100.200'

export interface NodeFacts {
  readonly instanceId: InstanceId
  readonly instanceType: string
  readonly regionId: RegionId
  readonly zoneId: ZoneId
  readonly vpcId: VpcId
  /** vSwitch of the primary ENI. */
  readonly vSwitchId: VSwitchId
  readonly primaryIp: Ipv4
  readonly primaryMac: Mac
}

/** For one attempt, ms. The service answers from the host in milliseconds; the original waits three times as long. */
const TIMEOUT = 10_000

/** Characters of an answer that is not understood, and why, in an error. */
const LONGEST_QUOTE = 200

/** Of the errors. */
const ACTION = 'metadata'
const MACS = 'network/interfaces/macs/'
const ROLES = 'ram/security-credentials/'

/**
 * All methods throw CloudError (action `metadata`): `Network`, `Throttling` or `ServiceUnavailable` when the service
 * stays away, `BadAnswer` for what cannot be an answer of it, `Item.NotFound`, `Forbidden`.
 */
export class Metadata {
  readonly #session: MetadataSession

  private constructor(session: MetadataSession) {
    this.#session = session
  }

  /** Asks nothing yet. @param endpoint scheme, host and port. */
  static open(endpoint: string, patience: Partial<Patience> = {}): Metadata {
    const { clock = REAL_CLOCK, random = Math.random, timeout = TIMEOUT } = patience
    return new Metadata(new MetadataSession(endpoint, { clock, random, timeout }))
  }

  /** @param item path below `/latest/meta-data/`; with a slash at its end for a directory. A role's item is a secret. */
  text(item: string): Promise<string> {
    return this.#item(item, (text) => text)
  }

  async nodeFacts(): Promise<NodeFacts> {
    const [instanceId, instanceType, regionId, zoneId, vpcId, vSwitchId, primaryIp, primaryMac] = await Promise.all([
      this.#item('instance-id', parseCloudId<InstanceId>),
      this.#item('instance/instance-type', parseInstanceType),
      this.#item('region-id', parseCloudId<RegionId>),
      this.#item('zone-id', parseCloudId<ZoneId>),
      this.#item('vpc-id', parseCloudId<VpcId>),
      this.#item('vswitch-id', parseCloudId<VSwitchId>),
      this.#item('private-ipv4', parseIpv4),
      this.#item('mac', parseMac),
    ])
    return { instanceId, instanceType, regionId, zoneId, vpcId, vSwitchId, primaryIp, primaryMac }
  }

  /** The primary ENI among them; not the member ENIs. */
  eniMacs(): Promise<readonly Mac[]> {
    return this.#item(MACS, parseMacs)
  }

  eni(mac: Mac): Promise<EniFacts> {
    return readEniFacts(mac, {
      item: (name, parse) => this.#item(`${MACS}${mac}/${name}`, parse),
      optional: (name, parse) => this.#optional(`${MACS}${mac}/${name}`, parse),
    })
  }

  /** Name of the RAM role that is attached to the instance. @throws CloudError `CredentialRole` too. */
  async ramRole(): Promise<string> {
    const role = await this.#optional(ROLES, parseRole)
    if (role !== undefined) return role
    const advice = 'attach one that allows what Terway calls, or configure another credential'
    throw advisedError('the instance has no RAM role', { action: ACTION, code: 'CredentialRole', advice })
  }

  async ramCredential(role: string): Promise<TimedCredential> {
    const item = `${ROLES}${encodeURIComponent(role)}`
    const issuer = { action: ACTION, peer: item }
    const value = parseAnswer(await this.text(item), issuer)
    if (!ISSUED_WELL.safeParse(value).success) {
      const advice = 'check that the role still exists and that ECS may assume it'
      throw advisedError(`${item} did not succeed`, { action: ACTION, code: 'BadAnswer', advice })
    }
    return parseIssued(value, issuer)
  }

  async #item<T>(item: string, parse: (text: string) => T): Promise<T> {
    const value = await this.#optional(item, parse)
    if (value === undefined) {
      const advice = 'is it an instance of a VPC, and what is asked for still attached?'
      throw advisedError(`${item} answered 404`, { action: ACTION, code: 'Item.NotFound', advice })
    }
    return value
  }

  async #optional<T>(item: string, parse: (text: string) => T): Promise<T | undefined> {
    const text = await this.#session.read(item)
    if (text === undefined) return undefined
    try {
      return parse(text)
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      throw badAnswer(item, `is ${problem.slice(0, LONGEST_QUOTE)}`)
    }
  }
}

const ISSUED_WELL = z.object({ Code: z.literal('Success') })

/** Reads the facts once, with a token that is not kept. @throws CloudError (action `metadata`) */
export function readNodeFacts(endpoint: string): Promise<NodeFacts> {
  return Metadata.open(endpoint).nodeFacts()
}

/** `ecs.g7.xlarge`, `ebmgn7.26xlarge` */
function parseInstanceType(text: string): string {
  if (!/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$/i.test(text) || text.length > 64) {
    throw new SyntaxError(`not an instance type: ${JSON.stringify(text.slice(0, 80))}`)
  }
  return text
}

/** RAM documentation, "Limits": the name of a role has up to 64 letters, digits, dots, hyphens and underscores. */
function parseRole(text: string): string {
  const [role = ''] = text.split('\n')
  if (!/^[\w.-]{1,64}$/.test(role))
    throw new SyntaxError(`not the name of a role: ${JSON.stringify(role.slice(0, 80))}`)
  return role
}
