import { createCipheriv, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { rejection, reveal, visibleText } from '../../test/credentials/reveal.ts'
import { addonTokenProvider } from './addon-token.ts'
import { keyFilesProvider } from './key-files.ts'
import { staticKeyProvider } from './static-key.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'terway-credentials-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true })
})

test('a key of the configuration stays, with its token if there is one', async () => {
  const key = { accessKeyId: 'LTAI', accessKeySecret: 'geheim' }
  const sts = { ...key, securityToken: 'geheim-2' }
  expect(reveal(await staticKeyProvider(key).fetch())).toEqual(key)
  expect(reveal(await staticKeyProvider(sts).fetch())).toEqual(sts)
})

describe('key files', () => {
  const write = async (id: string, secret: string, where = directory) => {
    await writeFile(join(where, 'access-key-id'), id)
    await writeFile(join(where, 'access-key-secret'), secret)
  }

  test('are read at each fetch', async () => {
    const provider = keyFilesProvider(directory)
    await write('LTAI-1\n', '  geheim-1\n')
    expect(reveal(await provider.fetch())).toEqual({ accessKeyId: 'LTAI-1', accessKeySecret: 'geheim-1' })
    await write('LTAI-2', 'geheim-2')
    expect(reveal(await provider.fetch())).toEqual({ accessKeyId: 'LTAI-2', accessKeySecret: 'geheim-2' })
    expect(provider.refreshInterval).toBe(60_000)
  })

  test('of a mounted Secret come from one version of it', async () => {
    for (const version of ['..v1', '..v2']) {
      await mkdir(join(directory, version))
      await write(`LTAI${version}`, `geheim${version}`, join(directory, version))
    }
    await symlink('..v1', join(directory, '..data'))
    // What the kubelet's links give in the middle of a rotation, were they followed one by one.
    await symlink('..v1/access-key-id', join(directory, 'access-key-id'))
    await symlink('..v2/access-key-secret', join(directory, 'access-key-secret'))
    const provider = keyFilesProvider(directory)
    expect(reveal(await provider.fetch())).toEqual({ accessKeyId: 'LTAI..v1', accessKeySecret: 'geheim..v1' })
    await symlink('..v2', join(directory, '..data_tmp'))
    await rename(join(directory, '..data_tmp'), join(directory, '..data'))
    expect(reveal(await provider.fetch())).toEqual({ accessKeyId: 'LTAI..v2', accessKeySecret: 'geheim..v2' })
  })

  test.each([
    ['empty', 'LTAI', ' \n', /access-key-secret does not hold one word/],
    ['two words', 'LTAI', 'geheim geheim', /access-key-secret does not hold one word/],
    ['not ASCII', 'LTAI', 'geheim\u00fc', /access-key-secret does not hold one word/],
    ['two lines', 'geheim\ngeheim', 'geheim', /access-key-id does not hold one word/],
  ])('that are %s are refused and not quoted', async (_, id, secret, message) => {
    await write(id, secret)
    const error = await rejection(keyFilesProvider(directory).fetch())
    expect(error).toMatchObject({ name: 'CloudError', code: 'CredentialFile', kind: 'identity' })
    expect(error).toMatchObject({ message: expect.stringMatching(message) })
    expect(error).toMatchObject({ message: expect.stringMatching(/check the Secret mounted there/) })
    expect(visibleText(error)).not.toContain('geheim')
  })

  test('that are missing are named', async () => {
    const message = expect.stringContaining(`${directory}/access-key-id cannot be read (ENOENT)`)
    await expect(keyFilesProvider(directory).fetch()).rejects.toMatchObject({ code: 'CredentialFile', message })
  })
})

describe('an add-on token', () => {
  const EXPIRATION = '2024-08-30T18:00:00Z'
  const PLAIN = { 'access.key.id': 'STS.1', 'access.key.secret': 'geheim-1', 'security.token': 'geheim-2' }
  const CREDENTIAL = {
    accessKeyId: 'STS.1',
    accessKeySecret: 'geheim-1',
    securityToken: 'geheim-2',
    expiration: Date.UTC(2024, 7, 30, 18),
  }
  const KEYRING = 'geheimer-schluessel-mit-32-bytes'

  function encrypt(text: string, keyring: string): string {
    const iv = randomBytes(16)
    const cipher = createCipheriv(`aes-${8 * keyring.length}-cbc`, keyring, iv)
    return Buffer.concat([iv, cipher.update(text), cipher.final()]).toString('base64')
  }

  function tokenFile(plain: Readonly<Record<string, string>> = PLAIN, keyring = KEYRING): Record<string, string> {
    const fields = Object.entries(plain).map(([name, text]) => [name, encrypt(text, keyring)])
    return { ...Object.fromEntries(fields), expiration: EXPIRATION, keyring }
  }

  const fetchFrom = async (content: unknown) => {
    const path = join(directory, 'token-config')
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
    return await addonTokenProvider(path).fetch()
  }

  test.each([16, 24, 32])('is decrypted with a keyring of %d bytes', async (length) => {
    expect(reveal(await fetchFrom(tokenFile(PLAIN, KEYRING.slice(0, length))))).toEqual(CREDENTIAL)
  })

  test('may have its expiration encrypted too', async () => {
    const file = { ...tokenFile(), expiration: encrypt(EXPIRATION, KEYRING) }
    expect(reveal(await fetchFrom(file))).toEqual(CREDENTIAL)
  })

  test('is read at each fetch, every half hour and five minutes before it expires', async () => {
    const path = join(directory, 'token-config')
    const provider = addonTokenProvider(path)
    await writeFile(path, JSON.stringify(tokenFile()))
    await provider.fetch()
    await writeFile(path, JSON.stringify(tokenFile({ ...PLAIN, 'access.key.id': 'STS.2' })))
    expect((await provider.fetch()).accessKeyId).toBe('STS.2')
    expect(provider).toMatchObject({ refreshInterval: 1_800_000, refreshMargin: 300_000 })
  })

  const broken = (changes: Readonly<Record<string, unknown>>) => ({ ...tokenFile(), ...changes })
  test.each<[string, unknown, RegExp]>([
    ['is not JSON', '{"keyring": "geheim', /token-config is not JSON/],
    ['is a list', ['geheim'], /fields?.*all of it|all of it/],
    ['lacks a field', broken({ 'security.token': undefined }), /: security\.token;/],
    ['has a number for a text', broken({ 'access.key.id': 5 }), /: access\.key\.id;/],
    ['has a keyring of 7 bytes', broken({ keyring: 'geheim!' }), /: keyring;/],
    ['has another keyring', broken({ keyring: KEYRING.toUpperCase() }), /not encrypted with its keyring/],
    ['is not encrypted', broken({ 'access.key.secret': 'geheim' }), /access\.key\.secret that is not base64 of whole/],
    [
      'is cut',
      broken({ 'security.token': encrypt('geheim', KEYRING).slice(0, 30) }),
      /security\.token that is not base64/,
    ],
    [
      'holds binary',
      broken({ 'access.key.id': encrypt('geheim\0', KEYRING) }),
      /access\.key\.id that is not encrypted/,
    ],
    ['holds nothing', broken({ 'access.key.id': encrypt('', KEYRING) }), /access\.key\.id that is not encrypted/],
    ['expires some time', broken({ expiration: encrypt('geheim', KEYRING) }), /expiration that is not a time/],
  ])('that %s is refused and not quoted', async (_, content, message) => {
    const error = await rejection(fetchFrom(content))
    expect(error).toMatchObject({ code: 'CredentialFile', message: expect.stringMatching(message) })
    expect(error).toMatchObject({ message: expect.stringMatching(/check the Secret addon\.network\.token/) })
    expect(visibleText(error)).not.toMatch(/geheim/i)
  })

  test('that is missing is named', async () => {
    const message = expect.stringContaining('nowhere/token-config cannot be read (ENOENT)')
    await expect(addonTokenProvider('/nowhere/token-config').fetch()).rejects.toMatchObject({ message })
  })
})
