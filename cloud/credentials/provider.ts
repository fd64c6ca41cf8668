/** From the choice of an identity to what fetches its credentials. */
import type { Patience } from '../http-exchange.ts'
import type { Metadata } from '../metadata.ts'
import { addonTokenProvider } from './addon-token.ts'
import type { CredentialSource } from './choose.ts'
import type { CredentialProvider } from './credential.ts'
import { keyFilesProvider } from './key-files.ts'
import { oidcProvider } from './oidc.ts'
import { ramRoleProvider } from './ram-role.ts'
import { staticKeyProvider } from './static-key.ts'
import { uriProvider } from './uri.ts'

export interface ProviderTools {
  readonly metadata: Metadata
  /** With STS and a credentials URI. */
  readonly patience: Patience
}

/** @throws CloudError (`CredentialSettings`) when an environment variable cannot be what it is for. */
export function createProvider(source: CredentialSource, { metadata, patience }: ProviderTools): CredentialProvider {
  switch (source.kind) {
    case 'key-files':
      return keyFilesProvider(source.directory)
    case 'static-key':
      return staticKeyProvider(source.credential)
    case 'addon-token':
      return addonTokenProvider(source.path)
    case 'oidc':
      return oidcProvider(source.settings, patience)
    case 'uri':
      return uriProvider(source.uri, patience)
    case 'ram-role':
      return ramRoleProvider(metadata)
  }
}
