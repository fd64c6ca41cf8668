/** The same sources make the same bytes, wherever and by whomever they are built. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { hostPlatform } from '../../hack/build/platform.ts'
import { DIST } from '../cluster/directory.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const EXECUTABLES = [`${hostPlatform().name}/terway`, 'terway-cli', 'terwayd/terwayd', `${hostPlatform().name}/node`]
let places: string[]
beforeAll(() => {
  // Each takes 330 MB, more than some machines have in their temporary directory. The next build removes what is left.
  const parent = mayWrite(DIST) ? DIST : tmpdir()
  places = ['', 'another-place-'].map((name) => mkdtempSync(join(parent, `.scratch-${process.pid}-${name}`)))
})
afterAll(() => {
  for (const place of places) rmSync(place, { recursive: true })
})

function mayWrite(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK)
    return true
  } catch {
    return false // it was built by somebody else
  }
}

/** Builds everything for this machine into the directory. */
function build(to: string, { cwd, umask, env }: { cwd: string; umask: string; env: Record<string, string> }): void {
  const argv = ['-c', `umask ${umask} && exec "$0" "$@"`, join(ROOT, 'hack', 'node'), join(ROOT, 'hack', 'build.ts')]
  const { status, stderr } = spawnSync('sh', [...argv, '--platforms', 'host', '--to', to], {
    ...{ cwd, encoding: 'utf8', env: { PATH: process.env.PATH, ...env } },
  })
  if (status !== 0) throw new Error(`it ended with ${status}: ${stderr}`)
}

const sums = (directory: string): string[] => readFileSync(join(directory, 'SHA256SUMS'), 'utf8').trim().split('\n')

test('two builds in different surroundings make the same, and what make build has made', () => {
  const [one = '', other = ''] = places
  build(one, { cwd: ROOT, umask: '022', env: { TZ: 'Asia/Shanghai', LANG: 'C' } })
  build(other, { cwd: '/', umask: '077', env: { TZ: 'America/New_York', LANG: 'de_DE.UTF-8', HOME: '/nonexistent' } })
  expect(sums(one)).toEqual(sums(other))
  expect(sums(DIST)).toEqual(expect.arrayContaining(sums(one)))
  for (const file of EXECUTABLES) expect(statSync(join(other, file)).mode & 0o777).toBe(0o755)
})

test('the list of what was built is true', () => {
  const { status, stderr } = spawnSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: DIST })
  expect({ status, stderr: String(stderr) }).toEqual({ status: 0, stderr: '' })
})
