/** The token that ACK puts on its nodes for add-ons: an STS credential, encrypted with a key that lies beside it. */
import { createDecipheriv } from 'node:crypto'
import { z } from 'zod'
import { type CredentialProvider, sealCredential, type TimedCredential } from './credential.ts'
import { badFields, parseExpiration } from './issued.ts'
import { isSecretWord, readSecretFile, type SecretFile, secretFileError } from './secret-file.ts'

/** Where the Secret `addon.network.token` is mounted. */
export const ADDON_TOKEN_PATH = '/var/addon/token-config'

/** Both as the original has them; ms. */
const REFRESH_INTERVAL = 30 * 60_000
const REFRESH_MARGIN = 5 * 60_000

/** Bytes of an AES block, and of the initialisation vector before the first. */
const BLOCK = 16
const KEY_LENGTHS = [16, 24, 32]

const TOKEN_FILE = z.object({
  'access.key.id': z.string(),
  'access.key.secret': z.string(),
  'security.token': z.string(),
  expiration: z.string(),
  keyring: z.string().refine((keyring) => KEY_LENGTHS.includes(Buffer.byteLength(keyring))),
})

/** The file is read at each fetch, since ACK replaces the token before it expires. */
export function addonTokenProvider(path: string): CredentialProvider {
  const advice = 'check the Secret addon.network.token that is mounted there, or remove credential_path'
  const file = { path, advice }
  return {
    name: `add-on token in ${path}`,
    refreshInterval: REFRESH_INTERVAL,
    refreshMargin: REFRESH_MARGIN,
    fetch: async () => parseTokenFile(await readSecretFile(file), file),
  }
}

function parseTokenFile(text: string, file: SecretFile): TimedCredential {
  const token = parseFields(text, file)
  const open = (field: keyof typeof token) => decrypt(token[field], { field, keyring: token.keyring, file })
  // ACK writes the time in the clear; the same time encrypted, as all the other fields are, is unmistakable too.
  const expiration = parseExpiration(token.expiration) ?? parseExpiration(open('expiration'))
  if (expiration === undefined)
    throw secretFileError(file, 'has an expiration that is not a time like 2024-08-30T07:03:06Z')
  return sealCredential({
    accessKeyId: open('access.key.id'),
    accessKeySecret: open('access.key.secret'),
    securityToken: open('security.token'),
    expiration,
  })
}

function parseFields(text: string, file: SecretFile): z.infer<typeof TOKEN_FILE> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message quotes the file.
    throw secretFileError(file, 'is not JSON')
  }
  const result = TOKEN_FILE.safeParse(value)
  if (result.success) return result.data
  throw secretFileError(
    file,
    `lacks a field, or has one that is no text or (keyring) not of ${KEY_LENGTHS.join(', ')} bytes: ${badFields(result.error)}`,
  )
}

interface Encrypted {
  readonly field: string
  readonly keyring: string
  readonly file: SecretFile
}

/** Base64 of the initialisation vector and then AES-CBC with PKCS #5 padding; the key's length tells which AES. */
function decrypt(text: string, { field, keyring, file }: Encrypted): string {
  const bytes = Buffer.from(text, 'base64')
  // Node skips what is not base64; a whole number of blocks tells that nothing was skipped, or the padding does.
  if (bytes.length < 2 * BLOCK || bytes.length % BLOCK !== 0) {
    throw secretFileError(file, `has a ${field} that is not base64 of whole AES blocks`)
  }
  const key = Buffer.from(keyring)
  const decipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, bytes.subarray(0, BLOCK))
  const problem = `has a ${field} that is not encrypted with its keyring`
  let plain: string
  try {
    plain = Buffer.concat([decipher.update(bytes.subarray(BLOCK)), decipher.final()]).toString('latin1')
  } catch {
    throw secretFileError(file, problem)
  }
  // One wrong key in 256 leaves something that looks like padding.
  if (!isSecretWord(plain)) throw secretFileError(file, problem)
  return plain
}
