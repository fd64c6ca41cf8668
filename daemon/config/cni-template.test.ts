import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { NO_TEMPLATE, parseCniTemplate, readCniTemplate } from './cni-template.ts'

const parse = (value: unknown) => parseCniTemplate(JSON.stringify(value), '10-terway.conf')

test('a single configuration: all keys but name, version and type', () => {
  const conf = { cniVersion: '0.4.0', name: 'terway', type: 'terway', eniip_virtual_type: 'IPVlan', custom: { a: 1 } }
  expect(parse(conf)).toEqual({
    list: {},
    plugin: { eniip_virtual_type: 'IPVlan', custom: { a: 1 } },
    chained: [],
  })
})

test('a list: what it says itself, our plugin and the others in their order', () => {
  const list = {
    ...{ cniVersion: '0.4.0', cniVersions: ['0.4.0'], name: 'terway-chainer', disableGC: true },
    plugins: [
      { type: 'terway', name: 'x', mtu: 1400 },
      { type: 'cilium-cni', cniVersion: '0.3.1', 'log-file': '/var/log/c' },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  }
  expect(parse(list)).toEqual({
    list: { disableGC: true },
    plugin: { mtu: 1400 },
    chained: [
      { type: 'cilium-cni', 'log-file': '/var/log/c' },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  })
})

test.each([
  [[], 'the configuration must be an object'],
  ['terway', 'the configuration must be an object'],
  [{ name: 'x' }, 'type must be a string'],
  [{ type: 'bridge' }, 'it must be of type "terway"'],
  [{ plugins: {} }, 'plugins must be a list'],
  [{ plugins: [] }, 'plugins must be a list of at least one plugin'],
  [{ plugins: [{ type: '../x' }] }, 'plugins.0.type must be the name of an executable'],
  [
    { plugins: [{ type: 'portmap' }, { type: 'terway' }] },
    'the first of "plugins", and no other, must be of type "terway"',
  ],
  [{ plugins: [{ type: 'terway' }, { type: 'terway' }] }, 'the first of "plugins", and no other, must be'],
  [{ type: 'terway', capabilities: { bandwidth: 'yes' } }, 'capabilities.bandwidth must be true or false'],
  [{ type: 'terway', mtu: 'big' }, 'mtu must be a whole number'],
  [{ type: 'terway', veth_prefix: 'eth' }, 'veth_prefix "eth"'],
])('%j is refused by file and key', (value, problem) => {
  expect(() => parse(value)).toThrow(
    expect.objectContaining({
      name: 'ConfigError',
      message: expect.stringContaining(problem),
    }),
  )
})

test('what is not JSON is refused by file and line', () => {
  expect(() => parseCniTemplate('{\n  "type": "terway",\n}', '/etc/eni/10-terway.conf')).toThrow(
    '/etc/eni/10-terway.conf is not JSON: line 3, column 1',
  )
})

describe('the file', () => {
  let directory: string
  let path: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'terway-template-'))
    path = join(directory, '10-terway.conf')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  test('Q27: neither it nor the list beside it has to exist', () => {
    expect(readCniTemplate(path)).toBe(NO_TEMPLATE)
    writeFileSync(`${path}list`, '{"plugins": [{"type": "terway", "mtu": 1400}]}')
    expect(readCniTemplate(path).plugin).toEqual({ mtu: 1400 })
  })

  test('a list beside it goes before it', () => {
    writeFileSync(path, '{"type": "terway", "mtu": 1300}')
    expect(readCniTemplate(path).plugin).toEqual({ mtu: 1300 })
    writeFileSync(`${path}list`, '{"plugins": [{"type": "terway", "mtu": 1400}]}')
    expect(readCniTemplate(path).plugin).toEqual({ mtu: 1400 })
  })

  test('one that is there and cannot be read is an error', () => {
    expect(() => readCniTemplate(directory)).toThrow(`cannot read ${directory}`)
  })
})
