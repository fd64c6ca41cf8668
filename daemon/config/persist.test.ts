import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { CloudError } from '../../cloud/error.ts'
import { type Persistence, persist, within } from './persist.ts'

const failure = (code: string) => new CloudError('no', { action: 'DescribeInstanceTypes', code })

/** Answers 42 after it has failed with these, and keeps the log. */
function asking(failures: readonly Error[], options: Partial<Persistence<number>> = {}) {
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line).msg) })
  const left = [...failures]
  const ask = async () => {
    const error = left.shift()
    if (error !== undefined) throw error
    return 42
  }
  const { signal } = new AbortController()
  return {
    lines,
    answer: persist({ what: 'the limits', ask, forgiving: false, log, signal, firstPause: 1, ...options }),
  }
}

describe('persist', () => {
  test('asks again while the cloud is away, with a line of the log for each time', async () => {
    const { lines, answer } = asking([failure('Network'), failure('Timeout'), failure('Throttling')])
    expect(await answer).toBe(42)
    expect(lines).toEqual([0.001, 0.002, 0.004].map((pause) => `the limits: no answer; asking again in ${pause} s`))
  })

  test.each([failure('Forbidden.RAM'), new TypeError('a fault of our own')])('%s ends it', async (error) => {
    await expect(asking([failure('Network'), error]).answer).rejects.toBe(error)
  })

  test('unless the daemon can do without the answer', async () => {
    const errors = [failure('Forbidden.RAM'), new TypeError('a fault of our own')]
    expect(await asking(errors, { forgiving: true }).answer).toBe(42)
  })

  test.each([
    ['a question that hangs', () => new Promise<number>(() => undefined)],
    ['a pause', () => Promise.reject(failure('Network'))],
  ])('the signal ends %s', async (_, ask) => {
    const stop = new AbortController()
    const { answer } = asking([], { ask, signal: stop.signal, firstPause: 60_000 })
    setTimeout(() => stop.abort(new Error('stopped')), 5)
    await expect(answer).rejects.toThrow('stopped')
  })
})

test('within tells whether it was in time, and throws what came in time', async () => {
  expect(await within(sleep(1), 1_000)).toBe(true)
  expect(await within(sleep(100), 1)).toBe(false)
  await expect(within(Promise.reject(new Error('early')), 1_000)).rejects.toThrow('early')
})
