/** The README's first command. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from '@jest/globals'
import { DEMO_PREFIX } from '../../hack/demo/prefix.ts'
import { cleanLeftovers, leftovers } from '../cluster/leftovers.ts'
import { execute, Service, until } from '../cluster/process.ts'

const DEMO = ['hack/node', 'hack/demo.ts']

describe('the demo', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'terway-demo-'))
  let started = 0

  afterAll(async () => {
    rmSync(scratch, { recursive: true, force: true })
    await cleanLeftovers(DEMO_PREFIX)
  })

  function start(): { readonly demo: Service; readonly log: () => string } {
    started += 1
    const logFile = join(scratch, `${started}.log`)
    const demo = new Service({ name: 'the demo', argv: DEMO, logFile })
    return { demo, log: () => readFileSync(logFile, 'utf8') }
  }

  test('ends well and leaves nothing', async () => {
    const { status, stdout } = await execute(DEMO, { timeout: 120_000 })
    const last = stdout.trimEnd().split('\n').at(-1) ?? ''
    expect({ status, last }).toEqual({
      status: 0,
      last: expect.stringMatching(/^demo: ok pods=4 lost=0 leaked=0 seconds=\d+(\.\d+)?$/),
    })
    expect(leftovers(DEMO_PREFIX)).toEqual([])
  })

  // In the middle of its start, with everything up, and while it deletes.
  test.each([200, 2_500, 6_000])('interrupted after %d ms leaves nothing', async (moment) => {
    const { demo, log } = start()
    await until(() => (log().includes('1. A region') ? true : undefined), { what: 'the demo' })
    await sleep(moment)
    expect(await demo.stop('SIGTERM', 30_000)).toBe(143)
    expect(log()).toMatch(/\ndemo: interrupted; everything it had made is removed\n$/)
    expect(leftovers(DEMO_PREFIX)).toEqual([])
  })

  test('after one that was killed without mercy it starts afresh; kept running it is ended by its own command', async () => {
    const { demo } = start()
    await until(() => (leftovers(DEMO_PREFIX).length > 5 ? true : undefined), { what: 'something to be left' })
    await demo.stop('SIGKILL')
    const kept = await execute([...DEMO, '--keep'], { timeout: 120_000 })
    expect(kept.stdout).toMatch(/demo: running pods=4 lost=0/)
    expect(leftovers(DEMO_PREFIX)).not.toEqual([])
    const cleaned = await execute([...DEMO, '--clean'])
    expect(cleaned).toMatchObject({ status: 0, stdout: expect.stringMatching(/everything it had made is removed/) })
    expect(leftovers(DEMO_PREFIX)).toEqual([])
  })
})
