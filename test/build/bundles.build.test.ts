/** The bundled programs, with what was built beside them and nothing else of the project. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { hostPlatform } from '../../hack/build/platform.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { DIST } from '../cluster/directory.ts'

const PLATFORM = hostPlatform().name
let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tw-bundles-'))
  cpSync(join(DIST, PLATFORM, 'node'), join(directory, PLATFORM, 'node'))
})
afterAll(() => rmSync(directory, { recursive: true }))

describe.each([
  { program: 'terwayd', launcher: 'terwayd', args: ['--version'], says: `${packageJson.version}\n` },
  { program: 'terway-simulator', launcher: 'terway-sim', args: ['--help'], says: /^Usage: terway-sim/ },
])('$launcher', ({ program, launcher, args, says }) => {
  let installed: string

  beforeEach(() => {
    installed = join(directory, program)
    rmSync(installed, { recursive: true, force: true })
    cpSync(join(DIST, program), installed, { recursive: true, filter: (path) => !path.endsWith('.compiled') })
  })

  function start(file = join(installed, launcher)) {
    const env = { PATH: '/usr/bin:/bin' }
    const { status, stdout, stderr } = spawnSync(file, args, { env, cwd: '/', encoding: 'utf8', timeout: 30_000 })
    return { status, stdout, stderr }
  }

  const started = { status: 0, stdout: expect.stringMatching(says), stderr: '' }

  test('starts from anywhere, through a link, and keeps the code it has compiled', () => {
    const link = join(installed, 'link')
    symlinkSync(join(installed, launcher), link)
    expect(start(link)).toEqual(started)
    const [version = ''] = readdirSync(join(installed, '.compiled'))
    expect(readdirSync(join(installed, '.compiled', version))).not.toEqual([])
    expect(start(link)).toEqual(started)
  })

  test('starts where it can keep nothing', () => {
    writeFileSync(join(installed, '.compiled'), '')
    expect(start()).toEqual(started)
  })

  test('has its native code beside it, not from elsewhere', () => {
    rmSync(join(installed, 'node_modules'), { recursive: true })
    expect(start()).toMatchObject({ status: 1, stderr: expect.stringContaining('native Koffi module') })
  })
})

describe('memory', () => {
  /** What the program's Node would be started with, in this environment. */
  function startedWith(program: string, launcher: string, env: Readonly<Record<string, string>> = {}) {
    const copy = mkdtempSync(join(directory, 'copy-'))
    mkdirSync(join(copy, PLATFORM))
    const script = '#!/bin/sh\nenv | grep ^MALLOC_ | sort\nfor word; do echo "$word"; done\n'
    writeFileSync(join(copy, PLATFORM, 'node'), script, { mode: 0o755 })
    mkdirSync(join(copy, program))
    cpSync(join(DIST, program, launcher), join(copy, program, launcher))
    const { stdout } = spawnSync(join(copy, program, launcher), ['--help'], {
      env: { PATH: '/usr/bin:/bin', ...env },
      encoding: 'utf8',
    })
    const lines = stdout.trim().split('\n')
    return {
      words: lines.filter((line) => line.startsWith('--')),
      malloc: lines.filter((line) => line.startsWith('M')),
    }
  }

  test('terwayd, which every node has, keeps little of what it once needed', () => {
    const words = [
      '--max-semi-space-size=1',
      '--heap-growing-percent=20',
      '--disable-warning=ExperimentalWarning',
      '--help',
    ]
    expect(startedWith('terwayd', 'terwayd')).toEqual({
      words,
      malloc: ['MALLOC_ARENA_MAX=2', 'MALLOC_TRIM_THRESHOLD_=65536'],
    })
    expect(startedWith('terwayd', 'terwayd', { MALLOC_ARENA_MAX: '4' }).malloc).toContain('MALLOC_ARENA_MAX=4')
  })

  test('the simulator is as fast as it can be', () => {
    const words = ['--disable-warning=ExperimentalWarning', '--help']
    expect(startedWith('terway-simulator', 'terway-sim')).toEqual({ words, malloc: [] })
  })
})
