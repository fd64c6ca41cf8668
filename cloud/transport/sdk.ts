/** One attempt of one call through the official SDK core: signing and the wire are the SDK's. */
import openapi from '@alicloud/openapi-core'
import { RuntimeOptions } from '@darabonba/typescript'
import type { CloudCall, Credential, Service } from '../transport.ts'
import { toCloudError } from './failed-answer.ts'

/** The CommonJS default export arrives as a property of the namespace, or as itself in a bundle. */
const { $OpenApiUtil, OpenApiUtil } = openapi
const OpenApiClient = openapi.default

/** ECS and VPC API versions, sent as the header x-acs-version. */
const VERSIONS: Readonly<Record<Service, string>> = { ecs: '2014-05-26', vpc: '2016-04-28' }

export interface Wire {
  /** `host` or `host:port`, no scheme. */
  readonly endpoints: Readonly<Record<Service, string>>
  readonly scheme: 'http' | 'https'
  readonly regionId: string
  /** A socket silent for so long is closed, ms. */
  readonly idleTimeout: number
}

/** @returns the JSON body as sent. @throws CloudError */
export async function callOnce(wire: Wire, call: CloudCall, credential: Credential): Promise<unknown> {
  const query = OpenApiUtil.query({ RegionId: wire.regionId, ...call.query })
  const request = new $OpenApiUtil.OpenApiRequest({ query })
  try {
    const answer = await clientOf(wire, call.service, credential).callApi(paramsOf(wire, call), request, RUNTIME)
    return answer.body
  } catch (cause) {
    throw toCloudError(call.action, cause, [credential.accessKeySecret, credential.securityToken ?? ''])
  }
}

/** Nothing per call: what RuntimeOptions could say is in the client's Config. */
const RUNTIME = new RuntimeOptions({})

/** A client is a record of its settings and costs nothing; connections are shared by all of the process. */
function clientOf(wire: Wire, service: Service, credential: Credential) {
  // Field by field: a sealed credential gives nothing to a spread.
  const { accessKeyId, accessKeySecret, securityToken } = credential
  return new OpenApiClient(
    new $OpenApiUtil.Config({
      endpoint: wire.endpoints[service],
      protocol: wire.scheme,
      regionId: wire.regionId,
      // The SDK's connectTimeout is an idle timeout of the socket: both must be set.
      readTimeout: wire.idleTimeout,
      connectTimeout: wire.idleTimeout,
      userAgent: 'Terway',
      credential: {
        getCredential: async () => ({ accessKeyId, accessKeySecret, securityToken, type: 'sts' }),
      } as never,
    }),
  )
}

function paramsOf({ scheme }: Wire, { service, action }: CloudCall) {
  return new $OpenApiUtil.Params({
    action,
    version: VERSIONS[service],
    protocol: scheme.toUpperCase(),
    pathname: '/',
    method: 'POST',
    authType: 'AK',
    style: 'RPC',
    reqBodyType: 'formData',
    bodyType: 'json',
  })
}
