/** A request as the SDK signs it, without the SDK: for tests that need many, or wrong ones. */
import { createHash, randomUUID } from 'node:crypto'
import { canonicalRequest, type SignedRequest, sign, stringToSign } from '../../simulator/api/signature.ts'

export interface RequestOptions {
  readonly action: string
  readonly query: Readonly<Record<string, string>>
  readonly version?: string
  readonly keyId?: string
  readonly secret?: string
  /** Milliseconds since the epoch. */
  readonly now?: number
  readonly nonce?: string
  readonly method?: string
  readonly securityToken?: string
}

export function signedRequest(options: RequestOptions): SignedRequest {
  const body = Buffer.alloc(0)
  const headers = new Map([
    ['host', 'ecs.test'],
    ['x-acs-action', options.action],
    ['x-acs-content-sha256', createHash('sha256').update(body).digest('hex')],
    ['x-acs-date', new Date(options.now ?? Date.now()).toISOString().replace(/\.\d{3}Z$/, 'Z')],
    ...(options.securityToken === undefined ? [] : [['x-acs-security-token', options.securityToken] as const]),
    ['x-acs-signature-nonce', options.nonce ?? randomUUID()],
    ['x-acs-version', options.version ?? '2014-05-26'],
  ])
  const query = new Map(Object.entries(options.query))
  const request = { method: options.method ?? 'POST', path: '/', query, headers, body }
  const names = [...headers.keys()]
  const signature = sign(stringToSign(canonicalRequest(request, names)), options.secret ?? 'sim-secret')
  headers.set(
    'authorization',
    `ACS3-HMAC-SHA256 Credential=${options.keyId ?? 'LTAIsim'},SignedHeaders=${names.join(';')},Signature=${signature}`,
  )
  return request
}
