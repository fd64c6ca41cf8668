import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { decodeSpooledDel, spoolFileName } from '../proto/spool.ts'
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

/** As `fixture.run`, with a standard error that takes nothing. */
async function runUnheard(verb: string, env: object = {}): Promise<{ status: number | null; stdout: string }> {
  const full = openSync('/dev/full', 'w')
  const child = spawn(fixture.plugin, {
    env: { ...SANDBOX_ENV, CNI_COMMAND: verb, ...env },
    stdio: ['pipe', 'pipe', full],
  })
  closeSync(full)
  child.stdin?.end(fixture.config())
  let stdout = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  return { status: await exitOf(child), stdout }
}

describe('a DEL the daemon does not take', () => {
  const spooled = (ifname = 'eth0') => {
    const file = join(fixture.spool, spoolFileName({ containerId: 'c1', ifname }))
    return decodeSpooledDel(readFileSync(file, 'utf8'))
  }
  const expected = () => ({
    containerId: 'c1',
    netns: SANDBOX_ENV.CNI_NETNS,
    ifname: 'eth0',
    args: SANDBOX_ENV.CNI_ARGS,
    config: Buffer.from(fixture.config()),
    spooledAt: expect.any(Number),
  })

  test('is left in the spool and succeeds', async () => {
    expect(await fixture.run('DEL')).toMatchObject({ status: 0, stdout: '' })
    expect(spooled()).toEqual(expected())
    expect(statSync(fixture.spool).mode & 0o777).toBe(0o700)
    expect(statSync(join(fixture.spool, readdirSync(fixture.spool)[0] ?? '')).mode & 0o777).toBe(0o600)
  })

  test('is left in the spool and succeeds though nobody can be told', async () => {
    expect(await runUnheard('DEL')).toEqual({ status: 0, stdout: '' })
    expect(spooled()).toEqual(expected())
  })

  test('leaves one file however often it comes, one for each interface', async () => {
    for (const env of [{}, { CNI_NETNS: '' }, {}, { CNI_IFNAME: 'net1' }]) {
      expect(await fixture.run('DEL', { env })).toMatchObject({ status: 0, stdout: '' })
    }
    expect(readdirSync(fixture.spool)).toHaveLength(2)
    expect(spooled('net1').ifname).toBe('net1')
  })

  test('fails when the spool cannot be written: code 5', async () => {
    mkdirSync(join(fixture.spool, '..'), { recursive: true })
    writeFileSync(fixture.spool, 'a file where the directory should be')
    const error = printedError(await fixture.run('DEL'))
    expect(error).toMatchObject({ code: 5, msg: expect.stringMatching(/^spool-failed: .*EEXIST/) })
    expect(error.details).toContain(fixture.spool)
  })

  test('is left in the spool when the daemon dies in the middle of the call', async () => {
    const { calls } = await fixture.daemon(() => 'die')
    expect(await fixture.run('DEL')).toMatchObject({ status: 0, stdout: '' })
    expect(calls).toHaveLength(1)
    expect(spooled()).toEqual(expected())
  })

  test('is left in the spool when the daemon takes too long', async () => {
    await fixture.daemon(() => 'silent')
    expect(await fixture.run('DEL', { env: { TERWAY_CNI_TIMEOUT: '500ms' } })).toMatchObject({ status: 0, stdout: '' })
    expect(spooled()).toEqual(expected())
  })

  test('is not left behind when the daemon refuses it', async () => {
    await fixture.daemon(() => ({ error: { code: 102, msg: 'kernel-refused: EBUSY', details: '' } }))
    expect(printedError(await fixture.run('DEL'))).toEqual({
      cniVersion: '1.1.0',
      code: 102,
      msg: 'kernel-refused: EBUSY',
    })
    expect(existsSync(fixture.spool)).toBe(false)
  })
})

describe('with a daemon', () => {
  test.each(CNI_VERSIONS)(
    'ADD in version %s hands everything over and prints the result as it comes',
    async (cniVersion) => {
      const result = `{"cniVersion":"${cniVersion}", "ips":[ ]}\n`
      const { calls } = await fixture.daemon(() => ({ result: Buffer.from(result) }))
      const stdin = fixture.config({ cniVersion })
      expect(await fixture.run('ADD', { stdin })).toEqual({ status: 0, stdout: result, stderr: '' })
      expect(calls).toEqual([
        {
          verb: 'ADD',
          invocation: {
            containerId: 'c1',
            netns: SANDBOX_ENV.CNI_NETNS,
            ifname: 'eth0',
            args: SANDBOX_ENV.CNI_ARGS,
            config: Buffer.from(stdin),
          },
        },
      ])
    },
  )

  test('a result larger than a pipe arrives whole', async () => {
    const result = JSON.stringify({ filler: 'x'.repeat(1_000_000) })
    await fixture.daemon(() => ({ result: Buffer.from(result) }))
    expect((await fixture.run('ADD')).stdout).toBe(result)
  })

  test.each(['DEL', 'CHECK', 'GC', 'STATUS'])('%s succeeds with empty output', async (verb) => {
    const { calls } = await fixture.daemon(() => ({ result: Buffer.from('ignored') }))
    expect(await fixture.run(verb)).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(calls.map((call) => call.verb)).toEqual([verb])
  })

  test('DEL without a namespace reaches the daemon', async () => {
    const { calls } = await fixture.daemon(() => ({ result: Buffer.alloc(0) }))
    expect(await fixture.run('DEL', { env: { CNI_NETNS: '' } })).toMatchObject({ status: 0 })
    expect(calls[0]?.invocation.netns).toBe('')
  })

  test.each(['GC', 'STATUS'])('%s needs no variable but CNI_COMMAND', async (verb) => {
    await fixture.daemon(() => ({ result: Buffer.alloc(0) }))
    expect(
      await runPlugin({ plugin: fixture.plugin, env: { CNI_COMMAND: verb }, stdin: fixture.config() }),
    ).toMatchObject({ status: 0 })
  })

  test.each(CNI_VERSIONS)('its error is printed in version %s', async (cniVersion) => {
    await fixture.daemon(() => ({ error: { code: 11, msg: 'pool-empty: no address', details: 'wait' } }))
    expect(printedError(await fixture.run('ADD', { stdin: fixture.config({ cniVersion }) }))).toEqual({
      cniVersion,
      code: 11,
      msg: 'pool-empty: no address',
      details: 'wait',
    })
  })

  test.each([
    ['dies in the middle of the call', 'die', 11, /^daemon-unreachable: /],
    ['answers with a gRPC error', 'fail', 11, /^daemon-failed: .*out of cheese/],
    ['answers with nothing', {}, 100, /^daemon-failed: /],
  ] as const)('ADD fails when the daemon %s', async (_when, behaviour, code, msg) => {
    const { calls } = await fixture.daemon(() => behaviour)
    expect(printedError(await fixture.run('ADD'))).toMatchObject({ code, msg: expect.stringMatching(msg) })
    expect(calls).toHaveLength(1)
  })

  test('ADD fails when the daemon takes too long', async () => {
    await fixture.daemon(() => 'silent')
    expect(printedError(await fixture.run('ADD', { env: { TERWAY_CNI_TIMEOUT: '0.5' } }))).toMatchObject({
      code: 11,
      msg: expect.stringMatching(/^daemon-timeout: .* within 0\.5 s$/),
    })
  })

  test('who asks where the time went is told, on standard error', async () => {
    await fixture.daemon(() => ({ result: Buffer.from('{}') }))
    const began = Date.now()
    const { status, stdout, stderr } = await fixture.run('ADD', { env: { TERWAY_CNI_TRACE: '1' } })
    expect({ status, stdout }).toEqual({ status: 0, stdout: '{}' })
    expect(stderr).toMatch(/^{.*}\n$/)
    const { phases, startedAt } = JSON.parse(stderr)
    expect(Object.keys(phases)).toEqual(['start', 'read', 'connect', 'call', 'print'])
    expect(Math.min(...Object.values<number>(phases))).toBeGreaterThan(0)
    expect(startedAt).toBeGreaterThanOrEqual(began)
    const total = Object.values<number>(phases).reduce((sum, phase) => sum + phase, 0)
    expect(startedAt + total).toBeLessThanOrEqual(Date.now() + 1)
  })

  test('a call that did not come as far tells of the phases that there were', async () => {
    const env = { TERWAY_CNI_TRACE: '1' }
    expect(Object.keys(JSON.parse((await fixture.run('ADD', { env })).stderr).phases)).toEqual([
      'start',
      'read',
      'print',
    ])
    expect((await fixture.run('VERSION', { env })).stderr).toMatch(
      /^{"phases":{"start":[\d.]+,"print":[\d.]+},"startedAt":/,
    )
  })

  test('who cannot be told where the time went gets the answer all the same', async () => {
    const env = { TERWAY_CNI_TRACE: '1' }
    const { status, stdout } = await runUnheard('ADD', env)
    expect({ status, ...JSON.parse(stdout) }).toMatchObject({ status: 1, code: 11 })
    await fixture.daemon(() => ({ result: Buffer.from('{}') }))
    expect(await runUnheard('ADD', env)).toEqual({ status: 0, stdout: '{}' })
  })

  test('nobody reads the output any more: status 1', async () => {
    await fixture.daemon(() => ({ result: Buffer.from('x'.repeat(1_000_000)) }))
    const child = spawn(fixture.plugin, {
      env: { ...SANDBOX_ENV, CNI_COMMAND: 'ADD' },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    child.stdout?.destroy()
    child.stdin?.end(fixture.config())
    expect(await exitOf(child)).toBe(1)
  })
})
