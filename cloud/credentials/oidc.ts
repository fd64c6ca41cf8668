/** RRSA: the token of the pod's service account is exchanged at STS for a credential of a RAM role. */
import { z } from 'zod'
import { advisedError } from '../advised-error.ts'
import type { CloudError } from '../error.ts'
import { exchange, type Patience } from '../http-exchange.ts'
import type { CredentialProvider } from './credential.ts'
import { parseAnswer, parseIssued } from './issued.ts'
import { OIDC_VARIABLES, type OidcSettings } from './oidc-environment.ts'
import { readSecretWord } from './secret-file.ts'

/** STS API reference, AssumeRoleWithOIDC: anonymous, the token is the authentication. */
const ACTION = 'AssumeRoleWithOIDC'
const VERSION = '2015-04-01'
/** Seconds; the API's default, and the longest that every role allows. */
const DURATION = 3600

const GRANTED = z.object({ Credentials: z.unknown() })
/** The message is left out on purpose: nothing promises that it does not quote the token. */
const REFUSED = z.object({
  Code: z.string().regex(/^[\w.-]{1,100}$/),
  RequestId: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .optional(),
})

/** @throws CloudError (`CredentialSettings`) when the endpoint is not one. */
export function oidcProvider(settings: OidcSettings, patience: Patience): CredentialProvider {
  const host = parseEndpoint(settings.endpoint)
  const issuer = { action: ACTION, peer: host.host }
  const advice = 'check the way to STS: STS_ENDPOINT, ALIBABA_CLOUD_STS_REGION, ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED'
  return {
    name: `RRSA as ${settings.roleArn}`,
    fetch: async () => {
      const init = { method: 'POST', body: await requestForm(settings) }
      const url = requestUrl(host, patience.clock.now())
      const { status, text } = await exchange({ url, init, ...issuer, advice }, patience)
      if (status !== 200) throw refusal(text, status)
      const granted = GRANTED.safeParse(parseAnswer(text, issuer))
      return parseIssued(granted.data?.Credentials, issuer)
    },
  }
}

function parseEndpoint(text: string): URL {
  const url = URL.parse(text)
  if (url !== null && url.href === `${url.origin}/`) return url
  const advice = 'correct STS_ENDPOINT or ALIBABA_CLOUD_STS_REGION'
  throw advisedError('the endpoint of STS makes no URL', { action: ACTION, code: 'CredentialSettings', advice })
}

/** The common parameters stand in the query and the action's own in the body, as the official SDK sends them. */
function requestUrl(host: URL, now: number): URL {
  const url = new URL(host)
  const common = {
    Action: ACTION,
    Version: VERSION,
    Format: 'JSON',
    Timestamp: `${new Date(now).toISOString().slice(0, 19)}Z`,
  }
  url.search = new URLSearchParams(common).toString()
  return url
}

/** The token file is read each time: the kubelet renews it long before the token expires. */
async function requestForm(settings: OidcSettings): Promise<URLSearchParams> {
  const advice = `${OIDC_VARIABLES.tokenFile} must name the projected token of the service account`
  return new URLSearchParams({
    RoleArn: settings.roleArn,
    OIDCProviderArn: settings.providerArn,
    OIDCToken: await readSecretWord({ path: settings.tokenFile, advice }),
    RoleSessionName: settings.sessionName,
    DurationSeconds: String(DURATION),
  })
}

function refusal(text: string, status: number): CloudError {
  const { Code = 'CredentialRefused', RequestId } = parseRefusal(text)
  const { roleArn, providerArn, tokenFile } = OIDC_VARIABLES
  const advice = `check ${roleArn}, ${providerArn}, the trust policy of the role and the token in ${tokenFile}`
  const requestId = RequestId === undefined ? {} : { requestId: RequestId }
  return advisedError(`STS answered ${status}`, { action: ACTION, code: Code, advice, ...requestId })
}

function parseRefusal(text: string): Partial<z.infer<typeof REFUSED>> {
  try {
    return REFUSED.safeParse(JSON.parse(text)).data ?? {}
  } catch {
    return {} // not of STS itself; the status says enough
  }
}
