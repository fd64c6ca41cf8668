import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { hashOf, Outputs, type Part } from './outputs.ts'

let directory: string
let made: string[]
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tw-outputs-'))
  made = []
})
afterEach(() => rmSync(directory, { recursive: true }))

/** A build of files that hold their ingredients; what it had to make is in `made`. */
async function build(
  files: Readonly<Record<string, string>>,
  { recipe = 'r', whole = true }: { recipe?: string; whole?: boolean } = {},
): Promise<void> {
  const outputs = await Outputs.open(directory, recipe)
  for (const [file, ingredient] of Object.entries(files)) {
    await outputs.produce({
      ...{ file, ingredients: [ingredient] },
      make: async (target) => {
        made.push(file)
        await writeFile(target, ingredient)
      },
    })
  }
  await outputs.close({ whole })
}

/** A file with that text. */
function part(file: string, text: string): Part {
  return { file, ingredients: [text], make: (target) => writeFile(target, text) }
}

const content = (file: string): string => readFileSync(join(directory, file), 'utf8')

test('what has not changed is not made again', async () => {
  await build({ 'x/a': '1', b: '2' })
  await build({ 'x/a': '1', b: '2' })
  expect(made).toEqual(['x/a', 'b'])
  expect(content('x/a')).toBe('1')
  expect(content('SHA256SUMS')).toBe(`${hashOf('2')}  b\n${hashOf('1')}  x/a\n`)
})

test.each([
  { why: 'a changed file', happens: () => writeFileSync(join(directory, 'a'), 'damaged') },
  { why: 'a file that is gone', happens: () => rmSync(join(directory, 'a')) },
  { why: 'a record that cannot be read', happens: () => writeFileSync(join(directory, '.build.json'), '{') },
])('it is made again because of $why', async ({ happens }) => {
  await build({ a: '1' })
  happens()
  await build({ a: '1' })
  expect(made).toEqual(['a', 'a'])
  expect(content('a')).toBe('1')
})

test('it is made again of other ingredients, and by another recipe', async () => {
  await build({ a: '1' })
  await build({ a: '2' })
  await build({ a: '2' }, { recipe: 's' })
  expect(made).toEqual(['a', 'a', 'a'])
  expect(content('a')).toBe('2')
})

test('a whole build removes what is made no more, that of a part keeps it', async () => {
  await build({ a: '1', b: '2' })
  await build({ a: '3' }, { whole: false })
  expect(content('SHA256SUMS')).toBe(`${hashOf('3')}  a\n${hashOf('2')}  b\n`)
  await build({ a: '3' })
  expect(content('SHA256SUMS')).toBe(`${hashOf('3')}  a\n`)
  expect(existsSync(join(directory, 'b'))).toBe(false)
})

test('a second name follows the file', async () => {
  for (const text of ['1', '1', '2']) {
    const outputs = await Outputs.open(directory, 'r')
    await outputs.alias('alias', await outputs.produce(part('a', text)))
    await outputs.close({ whole: true })
    expect(content('alias')).toBe(text)
    expect(statSync(join(directory, 'alias')).ino).toBe(statSync(join(directory, 'a')).ino)
  }
})

test('a file whose making fails stays as it was', async () => {
  await build({ a: '1' })
  const outputs = await Outputs.open(directory, 'r')
  const failing = outputs.produce({
    ...part('a', '2'),
    make: async (target) => {
      await writeFile(target, 'half')
      throw new Error('no')
    },
  })
  await expect(failing).rejects.toThrow('no')
  expect(content('a')).toBe('1')
  await build({ a: '1' })
  expect(made).toEqual(['a'])
})

test('what a killed build has left is removed, that of a living one stays', async () => {
  const { pid } = spawnSync('true')
  const [dead, alive] = [`.scratch-${pid}-x`, `.scratch-${process.ppid}-x`].map((name) => join(directory, name))
  for (const scratch of [dead, alive]) mkdirSync(String(scratch))
  await build({})
  expect([dead, alive].map((scratch) => existsSync(String(scratch)))).toEqual([false, true])
})

test('what is missing is what would be made', async () => {
  await build({ a: '1', b: '2' })
  rmSync(join(directory, 'b'))
  const outputs = await Outputs.open(directory, 'r')
  const parts = [part('a', '1'), part('a', '2'), part('b', '2'), part('c', '3')]
  expect(await outputs.missing(parts)).toEqual(parts.slice(1))
})

test('a build with nothing to do writes nothing', async () => {
  const buildAliased = async () => {
    const outputs = await Outputs.open(directory, 'r')
    await outputs.alias('alias', await outputs.produce(part('x/a', '1')))
    await outputs.close({ whole: true })
  }
  const inodes = () =>
    ['', 'x', 'x/a', 'alias', 'SHA256SUMS', '.build.json'].map((name) => {
      const { ino, ctimeNs } = statSync(join(directory, name), { bigint: true })
      return { name, ino, ctimeNs }
    })
  await buildAliased()
  const before = inodes()
  await buildAliased()
  expect(inodes()).toEqual(before)
})

describe('somebody else', () => {
  /** Root may write anywhere; nobody, who has this process meanwhile, may not. */
  async function asNobody(work: () => Promise<void>): Promise<void> {
    chmodSync(directory, 0o755)
    process.seteuid?.(65534)
    try {
      await work()
    } finally {
      process.seteuid?.(0)
    }
  }
  const isRoot = process.getuid?.() === 0
  const asRoot = (name: string, work: () => Promise<void>) =>
    isRoot ? test(name, work) : test.skip(`${name} (needs root)`, work)

  asRoot('builds what is up to date already', async () => {
    await build({ a: '1' })
    await asNobody(() => build({ a: '1' }))
    expect(made).toEqual(['a'])
  })

  asRoot('is told when something else must be built', async () => {
    await build({ a: '1' })
    await asNobody(async () => {
      const message = `${directory} is not up to date, and you may not change it: build as the user whose it is, or remove it`
      for (const changed of [{ a: '2' }, { a: '1', b: '1' }, {}]) {
        await expect(build(changed)).rejects.toMatchObject({ name: 'DirectoryError', message })
      }
    })
  })

  asRoot('leaves what others build, or have left', async () => {
    const { pid: dead } = spawnSync('true')
    const scratches = [dead, process.ppid].map((pid) => join(directory, `.scratch-${pid}-x`))
    await build({ a: '1' })
    for (const scratch of scratches) mkdirSync(scratch)
    await asNobody(() => build({ a: '1' }))
    expect(scratches.map((scratch) => existsSync(scratch))).toEqual([true, true])
  })
})
