/** The daemon's way to the cloud: whose identity, which endpoints, how many calls. */
import { statSync } from 'node:fs'
import type { Logger } from 'pino'
import type { Budget } from '../../cloud/budget/budget.ts'
import { type Clock, REAL_CLOCK } from '../../cloud/clock.ts'
import { type Cloud, createCloud } from '../../cloud/cloud.ts'
import { CredentialCache } from '../../cloud/credentials/cache.ts'
import { chooseSource } from '../../cloud/credentials/choose.ts'
import { createProvider } from '../../cloud/credentials/provider.ts'
import type { OddEni } from '../../cloud/ecs.ts'
import { hostOf, schemeOf } from '../../cloud/endpoint.ts'
import type { EniId, VpcId } from '../../cloud/ids.ts'
import { Metadata, type NodeFacts } from '../../cloud/metadata.ts'
import { createTransport, type FinishedCall, type TransportOptions } from '../../cloud/transport.ts'
import { KeyedQueue } from '../../cloud/vpc/keyed-queue.ts'
import type { EniConf } from './eni-conf.ts'

export interface CloudAccessOptions {
  readonly conf: Pick<EniConf, 'accessKey' | 'credentialPath'>
  readonly facts: Pick<NodeFacts, 'regionId'>
  readonly metadataEndpoint: string
  /** Shared by everything in the process that calls the cloud. */
  readonly budget: Budget
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Logger
  readonly onCall: (call: FinishedCall) => void
}

export interface CloudAccess {
  /** @param callTimeout ms for all attempts of a call together; the transport's default unless given */
  cloud(callTimeout?: number): Cloud
  /** Ends the renewing of credentials. */
  close(): void
}

/** The services beside the API, ms for one question. */
const QUESTION_TIMEOUT = 10_000

/** Nothing is asked before the first call. @throws CloudError when a variable of the environment cannot be used. */
export function openCloudAccess(options: CloudAccessOptions): CloudAccess {
  const { facts, budget, env, onCall } = options
  const credentials = openCredentials(options)
  const settings: TransportOptions = {
    ...endpointsOf(env, facts.regionId),
    regionId: facts.regionId,
    budget,
    onCall,
    credential: () => credentials.credential(),
    onRefused: (credential) => credentials.refused(credential),
  }
  // However many clients there are: one line for route changes, one warning for an ENI.
  const shared = { routeChanges: new KeyedQueue<VpcId>(), onOddEni: warnOnce(options.log) }
  return {
    cloud: (callTimeout) =>
      createCloud(createTransport(callTimeout === undefined ? settings : { ...settings, callTimeout }), shared),
    close: () => credentials.close(),
  }
}

/** Each ENI once: listings name it again and again. */
function warnOnce(log: Logger): (odd: OddEni) => void {
  const told = new Set<EniId>()
  return ({ id, problem }) => {
    if (told.has(id)) return
    told.add(id)
    log.warn({ eni: id, problem }, 'the cloud describes an ENI in a way that is not understood; it is left alone')
  }
}

/** Following links, as Secrets are mounted. A directory is what a mount of nothing makes. */
export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function openCredentials({ conf, facts, metadataEndpoint, env, log }: CloudAccessOptions): CredentialCache {
  const { accessKey, credentialPath } = conf
  const config = {
    ...(accessKey === undefined ? {} : { accessKey }),
    ...(credentialPath === undefined ? {} : { credentialPath }),
  }
  const { source, warnings } = chooseSource({ config, env, exists: isFile, regionId: facts.regionId })
  for (const warning of warnings) log.warn(warning)
  log.info({ credential: source.kind }, 'credentials for the cloud')
  const clock: Clock = REAL_CLOCK
  const patience = { clock, random: Math.random, timeout: QUESTION_TIMEOUT }
  const provider = createProvider(source, { metadata: Metadata.open(metadataEndpoint), patience })
  return CredentialCache.open({
    provider,
    onRefreshFailed: (err) => log.warn({ err }, 'credentials could not be renewed; it is tried again'),
  })
}

/**
 * Endpoints inside the VPC unless told otherwise: they need no way out of it. The variables are the original's; an
 * override may be a host or a URL, of which the host counts.
 */
export function endpointsOf(
  env: CloudAccessOptions['env'],
  regionId: string,
): Pick<TransportOptions, 'endpoints' | 'scheme'> {
  const { ECS_ENDPOINT, VPC_ENDPOINT, ALICLOUD_ENDPOINT_TYPE } = env
  const inside = ALICLOUD_ENDPOINT_TYPE === 'public' ? '' : '-vpc'
  const usual = (product: string) => `${product}${inside}.${regionId}.aliyuncs.com`
  return {
    endpoints: { ecs: hostOf(ECS_ENDPOINT || usual('ecs')), vpc: hostOf(VPC_ENDPOINT || usual('vpc')) },
    scheme: schemeOf(env),
  }
}
