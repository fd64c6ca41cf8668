/** The instance metadata service: what a node can learn of itself without a credential. */
import { type Ipv4, type Mac, parseIpv4, parseMac } from '../inet/address.ts'
import { CloudError } from './error.ts'
import { type InstanceId, parseCloudId, type RegionId, type VpcId, type VSwitchId, type ZoneId } from './ids.ts'

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

/** Life of a token in seconds; the service allows 1 to 21600. */
const TOKEN_TTL = 21_600
const ATTEMPTS = 4
/** First pause between attempts, ms; it doubles. */
const PAUSE = 500
const TIMEOUT = 10_000

/**
 * Reads the facts with a v2 token, or without one where the service knows only v1.
 * @throws CloudError (action `metadata`) when the service stays unreachable or answers nonsense.
 */
export async function readNodeFacts(endpoint: string): Promise<NodeFacts> {
  const token = await readToken(endpoint)
  const read = async (item: string) => {
    const headers = token === undefined ? {} : { 'X-aliyun-ecs-metadata-token': token }
    const answer = await fetchRetrying(`${endpoint}/latest/meta-data/${item}`, { headers })
    if (!answer.ok) throw new CloudError(`${item} answered ${answer.status}`, { action: 'metadata', code: 'BadAnswer' })
    return (await answer.text()).trim()
  }
  const items = [
    'instance-id',
    'instance/instance-type',
    'region-id',
    'zone-id',
    'vpc-id',
    'vswitch-id',
    'private-ipv4',
    'mac',
  ]
  const [
    instanceId = '',
    instanceType = '',
    regionId = '',
    zoneId = '',
    vpcId = '',
    vSwitchId = '',
    ip = '',
    mac = '',
  ] = await Promise.all(items.map(read))
  return {
    instanceId: parseCloudId<InstanceId>(instanceId),
    instanceType,
    regionId: parseCloudId<RegionId>(regionId),
    zoneId: parseCloudId<ZoneId>(zoneId),
    vpcId: parseCloudId<VpcId>(vpcId),
    vSwitchId: parseCloudId<VSwitchId>(vSwitchId),
    primaryIp: parseIpv4(ip),
    primaryMac: parseMac(mac),
  }
}

async function readToken(endpoint: string): Promise<string | undefined> {
  const headers = { 'X-aliyun-ecs-metadata-token-ttl-seconds': String(TOKEN_TTL) }
  const answer = await fetchRetrying(`${endpoint}/latest/api/token`, { method: 'PUT', headers })
  return answer.ok ? (await answer.text()).trim() : undefined
}

async function fetchRetrying(url: string, init: RequestInit): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT) })
      if (answer.status < 500 && answer.status !== 429) return answer
      if (attempt === ATTEMPTS) return answer
    } catch (cause) {
      if (attempt === ATTEMPTS) {
        const message = `${url} cannot be reached; is this an ECS instance, and is the route to the service intact?`
        throw new CloudError(message, { action: 'metadata', code: 'Network', cause })
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE * 2 ** (attempt - 1)))
  }
}
