import { expect, test } from '@jest/globals'
import { pino } from 'pino'
import { reveal, visibleText } from '../../test/credentials/reveal.ts'
import { sealCredential } from './credential.ts'

const OPEN = { accessKeyId: 'LTAI-id', accessKeySecret: 'geheim-1', securityToken: 'geheim-2', expiration: 7 }

test('a sealed credential has its fields for those who ask', () => {
  expect(reveal(sealCredential(OPEN))).toEqual(OPEN)
  expect('securityToken' in sealCredential({ accessKeyId: 'a', accessKeySecret: 'b' })).toBe(false)
})

test('and can be sealed again', () => {
  expect(reveal(sealCredential(sealCredential(OPEN)))).toEqual(OPEN)
})

test('it is not visible in anything that is printed', () => {
  const sealed = sealCredential(OPEN)
  const all = [visibleText(sealed), visibleText({ credential: [sealed] }), `${sealed}`].join()
  expect(all).toContain('[credential]')
  expect(all).not.toMatch(/geheim|LTAI/)
})

test('nor in a line of the log', () => {
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => lines.push(line) })
  const sealed = sealCredential(OPEN)
  log.info(sealed, 'itself')
  log.info({ sealed, list: [sealed], err: Object.assign(new Error('x'), { sealed }) }, 'inside')
  expect(lines).toHaveLength(2)
  expect(lines.join()).not.toMatch(/geheim|LTAI/)
})
