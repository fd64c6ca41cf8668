/** The parameters of one call: `Name`, `Name.1`, `Tag.1.Key`. Every reader throws ApiError. */
import {
  type Cidr,
  type Family,
  familyOf,
  type Ipv4,
  type Ipv6,
  parseIp as parseAnyIp,
  parseCidr,
  parseIpv4,
  parseIpv6,
  splitCidr,
} from '../../inet/address.ts'
import { ApiError } from '../cloud/error.ts'
import { checkTagKey, checkTagValue } from '../cloud/resource-tags.ts'
import { PREFIX_LENGTH } from '../cloud/vswitch-addresses.ts'
import type { EniId, InstanceId } from '../region/ids.ts'

/** Tags of one call (ECS documentation). */
const MAX_TAGS = 20

/** Of the protocol, not of an action: callers that send no headers for them have these among the parameters. */
const COMMON = new Set(['RegionId', 'Action', 'Version', 'Format', 'Timestamp', 'SignatureNonce'])

export class Parameters {
  readonly #values: ReadonlyMap<string, string>

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values
  }

  /** Whether the parameter, an item or a field of it is there. */
  has(name: string): boolean {
    return this.#values.has(name) || this.#numbered(name).length > 0
  }

  optional(name: string): string | undefined {
    return this.#values.get(name)
  }

  /** An empty value counts as missing. */
  required(name: string): string {
    const value = this.#values.get(name)
    if (value === undefined || value === '') {
      throw new ApiError('MissingParameter', `The parameter "${name}" is mandatory and was not given.`)
    }
    return value
  }

  /** @throws ApiError when both or neither are there; names the alternatives. */
  exactlyOne(names: readonly string[]): string {
    const given = names.filter((name) => this.has(name))
    const [first] = given
    if (first === undefined) throw new ApiError('MissingParameter', `One of ${names.join(', ')} must be given.`)
    if (given.length > 1) throw new ApiError('InvalidParameter.Conflict', `${given.join(' and ')} exclude each other.`)
    return first
  }

  atMostOne(names: readonly string[]): string | undefined {
    return names.some((name) => this.has(name)) ? this.exactlyOne(names) : undefined
  }

  /**
   * What the real API knows and the simulator does not must not be ignored in silence.
   * @param names as the API reference writes them: `VSwitchId`, `PrivateIpAddress.N`, `Tag.N.Key`
   * @throws ApiError UnsupportedParameter when there is another one; RegionId and what every call may say of itself are
   *   always allowed.
   */
  only(names: readonly string[]): void {
    for (const key of this.#values.keys()) {
      const name = key.replaceAll(/\.\d+(?=\.|$)/g, '.N')
      if (!COMMON.has(name) && !names.includes(name)) throw unsupported(key)
    }
    const format = this.#values.get('Format') ?? 'JSON'
    if (format.toUpperCase() !== 'JSON') throw unsupported(`Format=${format}`)
  }

  integer(name: string, { min, max }: { readonly min: number; readonly max: number }): number | undefined {
    const text = this.#values.get(name)
    if (text === undefined) return undefined
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw invalid(name, `must be ${min} to ${max}, not ${JSON.stringify(text)}`)
  }

  boolean(name: string): boolean | undefined {
    const text = this.#values.get(name)
    if (text === undefined) return undefined
    if (text === 'true' || text === 'false') return text === 'true'
    throw invalid(name, `must be true or false, not ${JSON.stringify(text)}`)
  }

  /** Between `min` and `max` characters; empty text is as good as none. */
  text(name: string, { min, max }: { readonly min: number; readonly max: number }): string {
    const text = this.#values.get(name) ?? ''
    if (text === '' || (text.length >= min && text.length <= max)) return text
    throw invalid(name, `must have ${min} to ${max} characters, not ${text.length}`)
  }

  /** `Name.1`, `Name.2`, … in the order of their numbers. */
  list(name: string, max: number): readonly string[] {
    const items = this.#numbered(name).flatMap(([key, value]) =>
      /^\d+$/.test(key) ? [[Number(key), value] as const] : [],
    )
    if (items.length > max) throw invalid(name, `holds ${items.length} items of ${max}`)
    return items.sort(([a], [b]) => a - b).map(([, value]) => value)
  }

  /** One string that holds a JSON array of strings, as some older parameters do. */
  jsonList(name: string, max: number): readonly string[] | undefined {
    const text = this.#values.get(name)
    if (text === undefined) return undefined
    const items = parseJson(text)
    if (!Array.isArray(items) || !items.every((item) => typeof item === 'string') || items.length > max) {
      throw invalid(name, `must be a JSON array of at most ${max} strings, not ${JSON.stringify(text)}`)
    }
    return items
  }

  ips(name: string, max: number): readonly Ipv4[] {
    return this.list(name, max).map((text) => parseIp(name, text))
  }

  /** @throws ApiError InvalidIp.Address when one is not an IPv6 address. */
  ipv6s(name: string, max: number): readonly Ipv6[] {
    return this.list(name, max).map(parseIpv6Address)
  }

  /** Prefixes with all host bits zero, of the length that ENIs have. */
  prefixes(name: string, family: Family, max: number): readonly Cidr[] {
    return this.list(name, max).map((text) => parsePrefix(name, family, text))
  }

  ip(name: string): Ipv4 | undefined {
    const text = this.#values.get(name)
    return text === undefined ? undefined : parseIp(name, text)
  }

  /** `Name.1.Field`, `Name.2.Field`, …: the fields of each item, in the order of the numbers. */
  records(name: string, max: number): readonly Parameters[] {
    const items = new Map<number, Map<string, string>>()
    for (const [key, text] of this.#numbered(name)) {
      const [, number, field] = /^(\d+)\.(.+)$/.exec(key) ?? []
      if (number === undefined || field === undefined) continue
      const item = items.get(Number(number)) ?? new Map<string, string>()
      items.set(Number(number), item.set(field, text))
    }
    if (items.size > max) throw invalid(name, `holds ${items.size} items of ${max}`)
    return [...items].sort(([a], [b]) => a - b).map(([, fields]) => new Parameters(fields))
  }

  /** @throws ApiError InvalidParams.EniId when it cannot be one. */
  eniId(name: 'NetworkInterfaceId' | 'TrunkNetworkInstanceId' = 'NetworkInterfaceId'): EniId {
    const text = this.required(name)
    if (/^eni-[a-z0-9]{1,60}$/.test(text)) return text as EniId
    throw new ApiError('InvalidParams.EniId', `${JSON.stringify(text)} is not the id of an ENI.`)
  }

  /** `InstanceId`. @throws ApiError InvalidInstanceID.Malformed when it cannot be one. */
  instanceId(): InstanceId {
    const text = this.required('InstanceId')
    if (/^i-[a-z0-9-]{1,60}$/.test(text)) return text as InstanceId
    throw new ApiError('InvalidInstanceID.Malformed', `${JSON.stringify(text)} is not the id of an instance.`)
  }

  /** `Tag.N.Key` and `Tag.N.Value`; a value may be left out. */
  tags(): ReadonlyMap<string, string> {
    const keys = new Map<string, string>()
    const values = new Map<string, string>()
    for (const [key, text] of this.#numbered('Tag')) {
      const [, number = '', field] = /^(\d+)\.(Key|Value)$/.exec(key) ?? []
      if (field === 'Key') keys.set(number, text)
      if (field === 'Value') values.set(number, text)
    }
    const keyless = [...values.keys()].some((number) => !keys.has(number))
    if (keyless) throw new ApiError('InvalidTagKey.Malformed', 'A tag has a value and no key.')
    if (keys.size > MAX_TAGS) throw new ApiError('NumberExceed.Tags', `${keys.size} tags of ${MAX_TAGS}.`)
    const tags = new Map<string, string>()
    for (const [number, key] of keys) {
      const value = values.get(number) ?? ''
      checkTagKey(key)
      checkTagValue(value)
      if (tags.has(key)) throw new ApiError('Duplicate.TagKey', `The tag key ${JSON.stringify(key)} is there twice.`)
      tags.set(key, value)
    }
    return tags
  }

  /** `TagKey.N`. */
  tagKeys(): readonly string[] {
    const keys = this.list('TagKey', Number.POSITIVE_INFINITY)
    if (keys.length > MAX_TAGS) throw new ApiError('NumberExceed.Tags', `${keys.length} tags of ${MAX_TAGS}.`)
    for (const key of keys) checkTagKey(key)
    if (new Set(keys).size === keys.length) return keys
    throw new ApiError('Duplicate.TagKey', 'A tag key is there twice.')
  }

  /** Equal for two calls that ask for the same, whatever their order and token. */
  fingerprint(): string {
    const rest = [...this.#values].filter(([name]) => name !== 'ClientToken')
    return JSON.stringify(rest.sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  #numbered(name: string): (readonly [string, string])[] {
    const prefix = `${name}.`
    return [...this.#values].flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value] as const] : [],
    )
  }
}

function unsupported(name: string): ApiError {
  return new ApiError('UnsupportedParameter', `The simulator does not support the parameter ${name} of this action.`)
}

export function invalid(name: string, problem: string): ApiError {
  return new ApiError('InvalidParameter', `The parameter ${name} ${problem}.`)
}

function parseIp(name: string, text: string): Ipv4 {
  try {
    return parseIpv4(text)
  } catch (error) {
    throw invalid(name, error instanceof Error ? error.message : String(error))
  }
}

function parseIpv6Address(text: string): Ipv6 {
  try {
    return parseIpv6(text)
  } catch (error) {
    throw new ApiError('InvalidIp.Address', error instanceof Error ? error.message : String(error))
  }
}

function parsePrefix(name: string, family: Family, text: string): Cidr {
  const length = PREFIX_LENGTH[family]
  const problem = `must be an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} prefix with the length ${length}, not ${JSON.stringify(text)}`
  try {
    const prefix = parseCidr(text)
    const { network, length: given } = splitCidr(prefix)
    const aligned = parseAnyIp(text.slice(0, text.indexOf('/'))) === network
    if (aligned && given === length && familyOf(prefix) === family) return prefix
  } catch {
    // Text that is no prefix at all gets the same answer as a wrong one.
  }
  throw invalid(name, problem)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // refused by the caller, like JSON of another shape
  }
}
