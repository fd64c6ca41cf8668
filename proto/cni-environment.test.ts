import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type CniEnvironment, parseAttachment, parseAttachmentKey, parseDetachment } from './cni-environment.ts'
import { CniError } from './cni-error.ts'

const GOOD: CniEnvironment = {
  containerId: '3f4e1c0a9b7d5566778899aabbccddeeff00112233445566778899aabbccddee',
  netns: '/var/run/netns/cni-6a1c2f8e-0000-1111-2222-333344445555',
  ifname: 'eth0',
}

function errorOf(run: () => unknown): CniError {
  try {
    run()
  } catch (error) {
    if (error instanceof CniError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

test('what runtimes send is accepted unchanged', () => {
  expect(parseAttachment(GOOD)).toEqual(GOOD)
  expect(parseAttachment({ ...GOOD, netns: '/proc/4711/ns/net' }).netns).toBe('/proc/4711/ns/net')
  expect(parseDetachment(GOOD)).toEqual(GOOD)
  expect(parseAttachmentKey(GOOD)).toEqual({ containerId: GOOD.containerId, ifname: 'eth0' })
})

test('all that is missing is named at once', () => {
  const error = errorOf(() => parseAttachment({ containerId: '', netns: '', ifname: '' }))
  expect(error.code).toBe(4)
  expect(error.message).toBe('environment-invalid: missing: CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME')
})

test('missing and invalid variables are named together', () => {
  const { message } = errorOf(() => parseAttachment({ containerId: '../x', netns: '', ifname: 'a b' }))
  expect(message).toContain('missing: CNI_NETNS')
  expect(message).toContain('CNI_CONTAINERID: ')
  expect(message).toContain('CNI_IFNAME: ')
})

test('DEL does without a namespace, but not without id and interface', () => {
  expect(parseDetachment({ ...GOOD, netns: '' }).netns).toBeUndefined()
  const { message } = errorOf(() => parseDetachment({ containerId: '', netns: '', ifname: '' }))
  expect(message).toBe('environment-invalid: missing: CNI_CONTAINERID, CNI_IFNAME')
})

describe('hostile values', () => {
  test.each(['../../etc', 'a/b', '-a', '.a', 'a b', 'a\0b', 'a\nb', 'é', 'a'.repeat(300)])(
    'container id %j',
    (containerId) => {
      const error = errorOf(() => parseDetachment({ ...GOOD, containerId }))
      expect(error.code).toBe(4)
      expect(error.message).toContain('CNI_CONTAINERID')
      expect(error.message.length).toBeLessThan(250)
    },
  )

  test.each([
    'netns/x',
    '/var/run/netns/../../../etc/passwd',
    '/var/run//netns/x',
    '/var/run/./netns/x',
    '/var/run/netns/',
    '/',
    '/var/run/netns/a b',
    '/var/run/netns/a\0b',
    '/var/run/netns/a\u001b[2Jb',
    `/var/run/netns/${'a'.repeat(300)}`,
    '/a'.repeat(2100),
  ])('netns %j', (netns) => {
    for (const parse of [parseAttachment, parseDetachment]) {
      const error = errorOf(() => parse({ ...GOOD, netns }))
      expect(error.code).toBe(4)
      expect(error.message).toContain('CNI_NETNS')
      expect(error.message.length).toBeLessThan(250)
    }
  })

  test.each(['a/b', '..', 'a b', 'a\0b', 'sixteen-letters-', 'x'.repeat(300)])('ifname %j', (ifname) => {
    expect(errorOf(() => parseAttachment({ ...GOOD, ifname })).message).toContain('CNI_IFNAME')
  })

  test('whatever is sent, the answer is the values themselves or code 4', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (containerId, netns, ifname) => {
        try {
          expect(parseAttachment({ containerId, netns, ifname })).toEqual({ containerId, netns, ifname })
        } catch (error) {
          expect(error).toMatchObject({ code: 4 })
        }
      }),
    )
  })
})
