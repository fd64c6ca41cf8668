/** The packed executables, in the surroundings that a runtime may start them in. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { fitsPages, machineOf, notesOf } from '../../hack/build/elf.ts'
import { PLATFORMS } from '../../hack/build/platform.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { CNI_VERSIONS, NEWEST_CNI_VERSION } from '../../proto/cni-version.ts'
import { PLUGIN } from '../cluster/cni.ts'
import { DIST } from '../cluster/directory.ts'

const CLI = join(DIST, 'terway-cli')
const VERSION_REPLY = JSON.stringify({ cniVersion: NEWEST_CNI_VERSION, supportedVersions: CNI_VERSIONS })
const isRoot = process.getuid?.() === 0
const asRoot = isRoot ? test : test.skip

/** A script of bash with no environment but this, and the plugin as `$1`. (With a socket as input it would read .bashrc.) */
function inBash(script: string, env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', script, 'bash', PLUGIN], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', CNI_COMMAND: 'VERSION', ...env },
    encoding: 'utf8',
    timeout: 30_000,
  })
  return { status, stdout, stderr }
}

/** Makes a directory that is gone at the end; the status stays that of the last command. */
const IN_SCRATCH = 'd=$(mktemp -d) && trap \'rm -r "$d"\' EXIT'
const ANSWERS = { status: 0, stdout: VERSION_REPLY, stderr: '' }

describe('terway answers', () => {
  test.each([
    { where: 'with no variable but its own', script: 'exec env -i CNI_COMMAND=VERSION "$1"' },
    { where: 'without standard input', script: 'exec "$1" <&-' },
    { where: 'without standard error', script: 'exec "$1" 2>&-' },
    { where: 'in a directory that is gone', script: 'd=$(mktemp -d) && cd "$d" && rmdir "$d" && exec "$1"' },
    { where: 'under another name', script: 'exec -a "" "$1"' },
    { where: 'through a link', script: `${IN_SCRATCH} && ln -s "$1" "$d/x" && "$d/x"` },
    { where: 'as another file', script: `${IN_SCRATCH} && cp "$1" "$d/a b" && "$d/a b"` },
    { where: 'whatever its arguments', script: 'exec "$1" --inspect --require=/nonexistent -e 0' },
  ])('$where', ({ script }) => {
    expect(inBash(script)).toEqual(ANSWERS)
  })

  const nobody = 'setpriv --reuid 65534 --regid 65534 --clear-groups'
  for (const { where, script } of [
    { where: 'without /proc', script: 'exec unshare -m sh -c \'umount -l /proc && exec "$0"\' "$1"' },
    {
      where: 'with nothing that can be written',
      script: 'exec unshare -m sh -c \'mount --bind / / && mount -o remount,bind,ro / && exec "$0"\' "$1"',
    },
    {
      where: 'to nobody, who may not read it',
      script: `${IN_SCRATCH} && chmod 711 "$d" && cp "$1" "$d/x" && chmod 111 "$d/x" && ${nobody} "$d/x"`,
    },
  ]) {
    asRoot(isRoot ? where : `${where} (needs root)`, () => expect(inBash(script)).toEqual(ANSWERS))
  }

  test.each([
    '--require=/nonexistent',
    '--import=data:text/javascript,process.exit(9)',
    '--inspect-brk',
    '--max-old-space-size=1',
    '--no-such-option',
  ])('NODE_OPTIONS=%s', (NODE_OPTIONS) => {
    expect(inBash('exec "$1"', { NODE_OPTIONS })).toEqual(ANSWERS)
  })

  // What Node says because of these goes to standard error, which no runtime reads of a call that succeeds.
  test.each([
    ['NODE_DEBUG', 'net,http2,module,fs'],
    ['NODE_DEBUG_NATIVE', 'SEA,MKSNAPSHOT'],
    ['NODE_EXTRA_CA_CERTS', '/nonexistent'],
    ['NODE_PENDING_DEPRECATION', '1'],
    ['NODE_REDIRECT_WARNINGS', '/nonexistent/x'],
    ['NODE_V8_COVERAGE', '/dev/null/x'],
    ['NODE_COMPILE_CACHE', '/dev/null/x'],
    ['NODE_ICU_DATA', '/nonexistent'],
    ['NODE_PATH', '/nonexistent'],
    ['NODE_CHANNEL_FD', '7'],
    ['NODE_UNIQUE_ID', '1'],
    ['NODE_TEST_CONTEXT', 'child-v8'],
    ['OPENSSL_CONF', '/nonexistent'],
    ['UV_THREADPOOL_SIZE', '1024'],
    ['LANG', 'xx_YY'],
    ['TZ', 'Nowhere/Else'],
  ])('%s=%s', (name, value) => {
    expect(inBash('exec "$1"', { [name]: value })).toMatchObject({ status: 0, stdout: VERSION_REPLY })
  })
})

test('terway fails, and says why, when its answer cannot be written', () => {
  const { status, stderr } = inBash('exec "$1" >/dev/full')
  expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('ENOSPC') })
})

describe('terway-cli', () => {
  const cli = (...args: string[]) => {
    const env = { NODE_OPTIONS: '--require=/nonexistent' }
    const { status, stdout, stderr } = spawnSync(CLI, args, { env, encoding: 'utf8', cwd: '/' })
    return { status, stdout, stderr }
  }

  test('tells its version', () => {
    expect(cli('--version')).toEqual({ status: 0, stdout: `${packageJson.version}\n`, stderr: '' })
  })

  test('has help for each command', () => {
    expect(cli('--help').stdout).toContain('inspect')
    expect(cli('inspect', 'pod', '--help').stdout).toContain('--container <id>')
  })

  test('reports trouble', () => {
    expect(cli('show', '--socket', '/nonexistent')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^terway-cli: .*\/nonexistent/),
    })
    expect(cli('nonsense')).toMatchObject({ status: 2, stderr: expect.stringContaining('unknown command') })
  })
})

describe('each platform', () => {
  for (const { name, machine, pageSize } of PLATFORMS) {
    const executable = (program: string) => join(DIST, name, program)
    const isBuilt = existsSync(executable('terway'))
    const whenBuilt = isBuilt ? test : test.skip

    whenBuilt(isBuilt ? name : `${name} (not in dist: "make build" fetches its Node)`, () => {
      for (const program of ['terway', 'terway-cli']) {
        const image = readFileSync(executable(program))
        expect(machineOf(image)).toBe(machine)
        expect(fitsPages(image, pageSize)).toBe(true)
        expect(blobOf(image).equals(blobOf(readFileSync(join(DIST, program))))).toBe(true)
      }
    })
  }

  /** The program in the executable; the same on every platform. */
  function blobOf(image: Buffer): Buffer {
    const note = notesOf(image).find(({ name }) => name === 'NODE_SEA_BLOB')
    if (note === undefined) throw new Error('it holds no program')
    return note.content
  }
})
