/** A service of the operator's own that issues credentials: `ALIBABA_CLOUD_CREDENTIALS_URI`. */
import { advisedError } from '../advised-error.ts'
import { exchange, type Patience } from '../http-exchange.ts'
import type { CredentialProvider } from './credential.ts'
import { parseAnswer, parseIssued } from './issued.ts'

export const URI_VARIABLE = 'ALIBABA_CLOUD_CREDENTIALS_URI'
const ACTION = 'credentials URI'

/** @throws CloudError (`CredentialSettings`) when it is not an http or https URL without a user. */
export function uriProvider(uri: string, patience: Patience): CredentialProvider {
  const url = URL.parse(uri)
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    const advice = 'give an http or https URL without user and password'
    throw advisedError(`${URI_VARIABLE} is none`, { action: ACTION, code: 'CredentialSettings', advice })
  }
  // Path and query may be what lets a caller in.
  const peer = url.origin
  const advice = `check ${URI_VARIABLE} and the service it names`
  return {
    name: `credentials URI at ${peer}`,
    fetch: async () => {
      const answer = await exchange({ url, action: ACTION, peer, advice }, patience)
      if (answer.status !== 200) {
        throw advisedError(`${peer} answered ${answer.status}`, { action: ACTION, code: 'CredentialRefused', advice })
      }
      const issuer = { action: ACTION, peer }
      return parseIssued(parseAnswer(answer.text, issuer), issuer)
    },
  }
}
