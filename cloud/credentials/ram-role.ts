/** The RAM role that is attached to the instance. */
import type { Metadata } from '../metadata.ts'
import type { CredentialProvider } from './credential.ts'

/** The role's name is asked for each time, since another role can be attached while the instance runs. */
export function ramRoleProvider(metadata: Metadata): CredentialProvider {
  return {
    name: 'RAM role of the instance',
    fetch: async () => metadata.ramCredential(await metadata.ramRole()),
  }
}
