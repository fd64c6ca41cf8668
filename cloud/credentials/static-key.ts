/** The key that stands in the configuration. */
import type { Credential } from '../transport.ts'
import { type CredentialProvider, sealCredential } from './credential.ts'

/** A security token beside the key makes it an STS credential that nobody refreshes: it is used until it is refused. */
export function staticKeyProvider(credential: Credential): CredentialProvider {
  const sealed = sealCredential(credential)
  return { name: 'access_key of the configuration', fetch: async () => sealed }
}
