import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { packExecutable, verifyExecutable } from './executable.ts'
import { hostPlatform, PLATFORMS, type Platform } from './platform.ts'

// Packing takes seconds on a busy machine.
jest.setTimeout(60_000)

const PROGRAM = Buffer.from("console.log('packed', process.argv.length)\n")
const NODE = readFileSync(process.execPath)
const HOST = hostPlatform()
let directory: string
let packed: Buffer

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tw-pack-'))
  const scratch = join(directory, 'scratch')
  mkdirSync(scratch)
  const target = join(directory, 'packed')
  await packExecutable({ bundle: PROGRAM, node: process.execPath, platform: HOST, target, scratch })
  packed = readFileSync(target)
})
afterAll(() => rmSync(directory, { recursive: true }))

const other = (): Platform => PLATFORMS.find((platform) => platform !== HOST) ?? HOST

test('what was packed is what was asked for', () => {
  verifyExecutable(packed, { bundle: PROGRAM, node: NODE, platform: HOST })
})

test('Node without a program is no executable', () => {
  expect(() => verifyExecutable(NODE, { bundle: PROGRAM, node: NODE, platform: HOST })).toThrow(
    'pkg made no executable: its fuse says that it is Node itself; it does not hold the program',
  )
})

test('neither is one of another program, of another Node or for another platform', () => {
  const wrong = { bundle: Buffer.from('x(1)\n'), node: withOtherBuildId(NODE), platform: other() }
  const message = (change: Partial<typeof wrong>) => () =>
    verifyExecutable(packed, { bundle: PROGRAM, node: NODE, platform: HOST, ...change })
  expect(message({ bundle: wrong.bundle })).toThrow('it does not hold the program')
  expect(message({ node: wrong.node })).toThrow('it is made of another Node')
  expect(message({ platform: wrong.platform })).toThrow(`it is not for ${other().name}`)
})

/** The build id is near the start of the file, in a note of the owner "GNU" with 20 bytes of SHA-1. */
function withOtherBuildId(image: Buffer): Buffer {
  const header = Buffer.from([4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4e, 0x55, 0])
  const at = image.indexOf(header)
  const changed = Buffer.from(image)
  changed.writeUInt32LE(0, at + header.length)
  return changed
}
