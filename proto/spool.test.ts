import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeSpooledDel, encodeSpooledDel, isSpoolFileName, spoolFileName } from './spool.ts'

const del = { containerId: 'c1', netns: '/run/netns/x', ifname: 'eth0', args: 'A=b', spooledAt: 1_700_000_000_000 }

test('any DEL survives the file', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.uint8Array(), (netns, args, config) => {
      const read = decodeSpooledDel(encodeSpooledDel({ ...del, netns, args, config }))
      expect(read).toEqual({ ...del, netns, args, config: Buffer.from(config) })
    }),
  )
})

test('the file is named after container and interface, whatever they hold', () => {
  const name = spoolFileName({ containerId: '../../x', ifname: 'eth0' })
  expect(isSpoolFileName(name)).toBe(true)
  expect(spoolFileName({ containerId: 'c1', ifname: 'eth0' })).not.toBe(
    spoolFileName({ containerId: 'c1', ifname: 'eth1' }),
  )
  expect(spoolFileName({ containerId: 'c1e', ifname: 'th0' })).not.toBe(
    spoolFileName({ containerId: 'c1', ifname: 'eth0' }),
  )
  expect(isSpoolFileName(`.${name}.4711.tmp`)).toBe(false)
})

test.each([
  ['', 'not JSON'],
  ['null', 'not a JSON object'],
  ['{}', 'version must be 1, not undefined'],
  ['{"version":2}', 'version must be 1, not 2'],
  ['{"version":1,"spooledAt":1}', 'containerId must be a string'],
  ['{"version":1,"spooledAt":"x"}', 'spooledAt must be a number'],
])('content %j is refused: %s', (content, message) => {
  expect(() => decodeSpooledDel(content)).toThrow(expect.objectContaining({ name: 'SpoolError', message }))
})
