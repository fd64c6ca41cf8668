import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  checkArchive,
  lockedPackage,
  npmEnvironment,
  PackageError,
  PackageHashError,
  packageDirectory,
} from './npm-package.ts'
import { hostPlatform, PLATFORMS } from './platform.ts'

const integrityOf = (archive: Uint8Array): string => `sha512-${createHash('sha512').update(archive).digest('base64')}`

test('the Node of every platform and its native code are locked, whichever npm installs here', () => {
  for (const { name } of PLATFORMS) {
    expect(lockedPackage(`node-${name}`).version).toBe(process.versions.node)
    expect(lockedPackage(`@koromix/koffi-${name}`).integrity).toMatch(/^sha512-/)
  }
})

test('a package that is not locked is not to be had', () => {
  expect(() => lockedPackage('node-linux-s390x')).toThrow(PackageError)
})

test('an archive with other bytes than the locked ones is refused', () => {
  const archive = Buffer.from('an archive')
  const locked = { version: '1.0.0', integrity: integrityOf(archive) }
  checkArchive(archive, 'x', locked)
  expect(() => checkArchive(Buffer.from('another'), 'x', locked)).toThrow(
    new PackageHashError('x@1.0.0 is not what package-lock.json says'),
  )
})

test('an installed package is taken as it is', async () => {
  const name = `node-${hostPlatform().name}`
  const announced: string[] = []
  const directory = await packageDirectory(name, '/nonexistent', (fetched) => announced.push(fetched))
  expect({ directory, announced }).toEqual({
    directory: join(import.meta.dirname, '../../node_modules', name),
    announced: [],
  })
})

test('npm gets a HOME that is one, or none', () => {
  expect(npmEnvironment({ HOME: '', PATH: '/bin' })).toEqual({ PATH: '/bin' })
  expect(npmEnvironment({ PATH: '/bin' })).toEqual({ PATH: '/bin' })
  expect(npmEnvironment({ HOME: '/root', PATH: '/bin' })).toEqual({ HOME: '/root', PATH: '/bin' })
})

describe('a package of another platform, from a registry', () => {
  const other = PLATFORMS.find((platform) => platform !== hostPlatform())
  const NAME = `@koromix/koffi-${other?.name}`
  const { version, integrity } = lockedPackage(NAME)
  const OTHER_BYTES = Buffer.from('not what was locked')
  const environment = { ...process.env }
  let scratch: string
  let registry: Server | undefined

  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'tw-registry-'))
  })
  afterEach(async () => {
    process.env = { ...environment }
    rmSync(scratch, { recursive: true })
    if (registry !== undefined) await registry[Symbol.asyncDispose]()
    registry = undefined
  })

  /** npm asks this one, with an empty cache; it has these bytes, and says this of them, or knows no package. */
  async function start(says: string | undefined, bytes = OTHER_BYTES): Promise<void> {
    const server = createServer((request, response) => {
      if (request.url?.endsWith('.tgz')) return response.end(bytes)
      if (says === undefined) return response.writeHead(404).end('{}')
      const dist = { tarball: `${origin}/x.tgz`, integrity: says }
      const versions = { [version]: { name: NAME, version, dist } }
      return response.end(JSON.stringify({ name: NAME, versions, 'dist-tags': { latest: version } }))
    })
    registry = server
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    const cache = join(scratch, 'cache')
    process.env = { PATH: environment.PATH, HOME: scratch, npm_config_registry: origin, npm_config_cache: cache }
  }

  async function fetched(): Promise<{ readonly error: unknown; readonly announced: readonly string[] }> {
    const announced: string[] = []
    const error = await packageDirectory(NAME, scratch, (name) => announced.push(name)).catch(
      (reason: unknown) => reason,
    )
    return { error, announced }
  }

  test('that has none is not to be had', async () => {
    await start(undefined)
    expect(await fetched()).toEqual({
      error: expect.objectContaining({ name: 'PackageError', message: `npm cannot fetch ${NAME}@${version} (E404)` }),
      announced: [NAME],
    })
  })

  const lock = `${NAME}@${version} is not what package-lock.json says`
  const registrysWord = (code: string) => `${NAME}@${version} is not what the registry says (${code})`
  const half = gzipSync('an archive').subarray(0, -1)
  test.each([
    { what: 'other bytes', says: integrityOf(OTHER_BYTES), bytes: OTHER_BYTES, message: lock },
    { what: 'bytes that even it denies', says: integrity, bytes: OTHER_BYTES, message: registrysWord('EINTEGRITY') },
    { what: 'half an archive', says: integrityOf(half), bytes: half, message: registrysWord('Z_BUF_ERROR') },
  ])('that has $what is refused', async ({ says, bytes, message }) => {
    await start(says, bytes)
    expect((await fetched()).error).toMatchObject({ name: 'PackageHashError', message })
    expect(existsSync(join(scratch, NAME, 'package'))).toBe(false)
  })
})
