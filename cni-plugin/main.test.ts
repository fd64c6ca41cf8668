import { spawn } from 'node:child_process'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { CNI_VERSIONS, PluginFixture, printedError, SANDBOX_ENV } from '../test/plugin/plugin-fixture.ts'
import { exitOf, runPlugin } from '../test/plugin/run-plugin.ts'

// A process start per case on a busy machine.
jest.setTimeout(60_000)

let fixture: PluginFixture
beforeAll(async () => {
  fixture = await PluginFixture.build()
})
afterAll(() => fixture.remove())
beforeEach(() => fixture.beginCase())
afterEach(() => fixture.endCase())

describe('without a daemon', () => {
  test('started by hand it says what it is, on standard error', async () => {
    const { status, stdout, stderr } = await runPlugin({ plugin: fixture.plugin, env: {}, stdin: '' })
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
    expect(stderr).toMatch(/^CNI plugin terway .* 0\.3\.0, 0\.3\.1, 0\.4\.0, 1\.0\.0, 1\.1\.0\n$/)
  })

  test.each(['{"cniVersion":"1.0.0"}', '', 'nonsense'])('VERSION with %j on standard input', async (stdin) => {
    const { status, stdout, stderr } = await runPlugin({
      plugin: fixture.plugin,
      env: { CNI_COMMAND: 'VERSION' },
      stdin,
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({ cniVersion: '1.1.0', supportedVersions: CNI_VERSIONS })
  })

  test.each(['--require=/nonexistent.js', '--inspect=127.0.0.1:0', '--no-such-option'])(
    'NODE_OPTIONS=%s of the runtime changes nothing',
    async (NODE_OPTIONS) => {
      const { status, stderr } = await runPlugin({
        plugin: fixture.plugin,
        env: { CNI_COMMAND: 'VERSION', NODE_OPTIONS },
        stdin: '',
      })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    },
  )

  test('VERSION does not wait for the end of standard input', async () => {
    const child = spawn(fixture.plugin, { env: { CNI_COMMAND: 'VERSION' }, stdio: 'pipe' })
    expect(await exitOf(child)).toBe(0)
  })

  test('an unknown verb: code 4', async () => {
    expect(printedError(await fixture.run('UPDATE'))).toMatchObject({
      code: 4,
      msg: expect.stringContaining('CNI_COMMAND'),
    })
  })

  test('every missing variable is named: code 4, in the version of the configuration', async () => {
    const env = { CNI_CONTAINERID: '', CNI_NETNS: '', CNI_IFNAME: '' }
    const add = printedError(await fixture.run('ADD', { env, stdin: fixture.config({ cniVersion: '0.4.0' }) }))
    expect(add).toMatchObject({ cniVersion: '0.4.0', code: 4 })
    expect(add.msg).toContain('CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME')
    expect(printedError(await fixture.run('DEL', { env })).msg).toContain('missing: CNI_CONTAINERID, CNI_IFNAME')
  })

  test.each([
    ['CNI_CONTAINERID', '../../etc/passwd'],
    ['CNI_CONTAINERID', 'a'.repeat(300)],
    ['CNI_CONTAINERID', 'a b'],
    ['CNI_IFNAME', '../eth0'],
    ['CNI_IFNAME', 'a'.repeat(300)],
    ['CNI_IFNAME', 'eth 0'],
    ['CNI_NETNS', '/run/netns/../../etc/passwd'],
    ['CNI_NETNS', `/run/netns/${'a'.repeat(300)}`],
    ['CNI_NETNS', '/run/netns/a b'],
    ['TERWAY_CNI_TIMEOUT', 'soon'],
  ])('hostile %s %j: code 4', async (name, value) => {
    expect(printedError(await fixture.run('ADD', { env: { [name]: value } }))).toMatchObject({
      code: 4,
      msg: expect.stringContaining(name),
    })
  })

  test.each(['', '{', 'nonsense', Uint8Array.of(0x22, 0xff, 0x22)])('input %j is not JSON: code 6', async (stdin) => {
    for (const verb of ['ADD', 'DEL', 'STATUS']) expect(printedError(await fixture.run(verb, { stdin })).code).toBe(6)
  })

  test.each([
    ['[]', 'the network configuration must be a JSON object'],
    ['{"cniVersion":1}', 'cniVersion must be a string, not 1'],
    ['{"cniVersion":"1.0.0","daemon_socket":7}', 'daemon_socket must be a string, not 7'],
    ['{"cniVersion":"1.0.0","daemon_socket":"/run/../x"}', 'daemon_socket must be an absolute path'],
    ['{"cniVersion":"1.0.0","spool_dir":"spool"}', 'spool_dir must be an absolute path'],
    [`{"cniVersion":"1.0.0","daemon_socket":"/${'x'.repeat(107)}"}`, 'daemon_socket must have at most 107 bytes'],
  ])('input %s: code 7', async (stdin, problem) => {
    expect(printedError(await fixture.run('DEL', { stdin }))).toMatchObject({
      code: 7,
      msg: expect.stringContaining(problem),
    })
  })

  test('input that cannot be read: code 5', async () => {
    const directory = openSync(fixture.root, 'r')
    const child = spawn(fixture.plugin, {
      env: { ...SANDBOX_ENV, CNI_COMMAND: 'ADD' },
      stdio: [directory, 'pipe', 'inherit'],
    })
    closeSync(directory)
    let stdout = ''
    child.stdout?.on('data', (chunk) => {
      stdout += chunk
    })
    expect(printedError({ status: await exitOf(child), stdout, stderr: '' })).toMatchObject({
      code: 5,
      msg: expect.stringMatching(/^stdin-unreadable: .*EISDIR/),
    })
  })

  test.each([
    ['ADD', '2.0.0'],
    ['DEL', ''],
    ['CHECK', '0.3.1'],
    ['GC', '1.0.0'],
    ['STATUS', '1.0.0'],
  ])('%s in version %j: code 1 and the versions there are', async (verb, cniVersion) => {
    expect(printedError(await fixture.run(verb, { stdin: fixture.config({ cniVersion }) }))).toMatchObject({
      code: 1,
      details: 'supported versions: 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0',
    })
  })

  test.each(['ADD', 'DEL', 'CHECK'])("%s in the plugin's own namespace: code 8, unless overridden", async (verb) => {
    const env = { CNI_NETNS: '/proc/self/ns/net' }
    expect(printedError(await fixture.run(verb, { env })).code).toBe(8)
    await fixture.daemon(() => ({ result: Buffer.from('{}') }))
    expect(await fixture.run(verb, { env: { ...env, CNI_NETNS_OVERRIDE: 'true' } })).toMatchObject({ status: 0 })
  })

  test.each([
    ['ADD', 11],
    ['CHECK', 11],
    ['GC', 11],
    ['STATUS', 50],
  ])('%s: code %i says where the daemon was looked for and what to check', async (verb, code) => {
    const error = printedError(await fixture.run(verb))
    expect(error.code).toBe(code)
    expect(error.msg).toMatch(/^daemon-unreachable: .*ENOENT/)
    expect(error.msg).toContain(fixture.socket)
    expect(error.details).toContain('is terwayd running on this node?')
  })

  test('a file that is no socket is no daemon', async () => {
    writeFileSync(fixture.socket, '')
    expect(printedError(await fixture.run('ADD'))).toMatchObject({
      code: 11,
      msg: expect.stringContaining('ECONNREFUSED'),
    })
  })
})
