import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { run, TestNamespaces } from '../test/kernel/namespaces.ts'
import type { Netns } from './netns.ts'
import { compareSysctls, readSysctl, type Sysctl, SysctlDirectory, writeSysctls } from './sysctl.ts'

let spaces: TestNamespaces
let netns: Netns

beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-sys-')
  netns = spaces.create('one')
})
afterEach(() => spaces[Symbol.dispose]())

/** One for each namespace, a number. */
const RANGE = ['net', 'ipv4', 'ip_default_ttl']
const NOTHING = ['net', 'ipv4', 'no_such_thing']
/** Nobody may write it. */
const READ_ONLY = ['net', 'ipv4', 'tcp_available_congestion_control']

const set = (value: string) => run(netns, 'sysctl', '-q', `net.ipv4.ip_default_ttl=${value}`)

describe('at least', () => {
  const wanted: Sysctl = { key: RANGE, value: '100', want: 'at-least' }

  test.each([
    ['9', '100', { found: '9' }],
    ['99', '100', { found: '99' }],
    ['100', '100', undefined],
    ['200', '200', undefined],
  ])('%s becomes %s', (before, after, deviation) => {
    set(before)
    expect(compareSysctls(netns, [wanted])).toEqual([deviation])
    writeSysctls(netns, [wanted])
    expect(readSysctl(netns, RANGE)).toBe(after)
    expect(compareSysctls(netns, [wanted])).toEqual([undefined])
  })
})

describe('optional', () => {
  const absent: Sysctl = { key: NOTHING, value: '1' }
  const readOnly: Sysctl = { key: READ_ONLY, value: 'none' }

  test('one that does not exist is fine, and only then', () => {
    const optional: Sysctl = { ...absent, optional: true }
    writeSysctls(netns, [optional])
    expect(compareSysctls(netns, [absent, optional])).toEqual([{ found: undefined }, undefined])
    expect(() => writeSysctls(netns, [absent])).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  })

  test('one that nobody may write here is fine, and only then', () => {
    const optional: Sysctl = { ...readOnly, optional: true }
    writeSysctls(netns, [optional])
    expect(compareSysctls(netns, [readOnly, optional])).toEqual([{ found: expect.any(String) }, undefined])
    expect(() => writeSysctls(netns, [readOnly])).toThrow(expect.objectContaining({ name: 'SysctlError' }))
  })

  test('one that can be written is written, and what the kernel refuses is an error', () => {
    writeSysctls(netns, [{ key: RANGE, value: '77', optional: true }])
    expect(readSysctl(netns, RANGE)).toBe('77')
    expect(() => writeSysctls(netns, [{ key: RANGE, value: 'x', optional: true }])).toThrow(
      expect.objectContaining({ code: 'EINVAL' }),
    )
  })
})

describe('an open directory', () => {
  const inConf = (link: string) => ['net', 'ipv6', 'conf', link, 'accept_ra']
  const open = () => SysctlDirectory.open(netns, ['net', 'ipv6', 'conf'])

  test('leads to the sysctls of its namespace that are below it, and to no other', () => {
    using directory = open()
    expect(directory?.pathOf(inConf('eth0.7'))).toMatch(/^\/proc\/self\/fd\/\d+\/eth0\.7\/accept_ra$/)
    expect(directory?.pathOf(RANGE)).toBe('/proc/sys/net/ipv4/ip_default_ttl')
    expect(directory?.pathOf(['net', 'ipv6', 'conf'])).toBe('/proc/sys/net/ipv6/conf')
    expect(() => directory?.pathOf(['net', 'ipv6', 'conf', '..', 'x'])).toThrow(
      expect.objectContaining({ code: 'EINVAL' }),
    )
    const home = readSysctl(undefined, inConf('lo'))
    writeSysctls(
      netns,
      [
        { key: inConf('lo'), value: '2' },
        { key: RANGE, value: '33' },
      ],
      directory,
    )
    expect([readSysctl(netns, inConf('lo')), readSysctl(netns, RANGE)]).toEqual(['2', '33'])
    expect(readSysctl(undefined, inConf('lo'))).toBe(home)
  })

  test('has the links that were made after it was opened', () => {
    using directory = open()
    run(netns, 'ip', 'link', 'add', 'later', 'type', 'veth', 'peer', 'name', 'other')
    writeSysctls(netns, [{ key: inConf('later'), value: '0' }], directory)
    expect(readSysctl(netns, inConf('later'))).toBe('0')
  })

  test('that is not there is none', () => {
    expect(SysctlDirectory.open(netns, ['net', 'none'])).toBeUndefined()
    expect(() => SysctlDirectory.open(netns, RANGE)).toThrow(expect.objectContaining({ code: 'ENOTDIR' }))
  })
})
