import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseCniTemplate } from './cni-template.ts'
import { type ConflistOptions, conflist, writeConflist } from './conflist.ts'

const CAPABILITIES = { bandwidth: true, 'io.kubernetes.cri.pod-annotations': true }
const PORTMAP = { type: 'portmap', capabilities: { portMappings: true }, snat: true, masqAll: true }
const DEFAULTS: ConflistOptions = {
  socket: '/var/run/eni/eni.socket',
  spoolDirectory: '/var/run/terway/spool',
  findBinary: () => undefined,
}

const template = (value: object) => parseCniTemplate(JSON.stringify(value), 'file')
const listOf = (options: Partial<ConflistOptions> = {}) => JSON.parse(conflist({ ...DEFAULTS, ...options }).content)
/** A directory with these plugins. */
const holding =
  (...types: string[]): ConflistOptions['findBinary'] =>
  (type) =>
    types.includes(type) ? { speaksNewest: true } : undefined

test('the form that containerd 1.6, 1.7 and 2.x all take', () => {
  expect(listOf()).toEqual({
    cniVersion: '1.0.0',
    cniVersions: ['0.4.0', '1.0.0', '1.1.0'],
    name: 'terway',
    plugins: [{ type: 'terway', capabilities: CAPABILITIES }],
  })
})

test('paths that are not the defaults of the plugin are told to it', () => {
  const [plugin] = listOf({ socket: '/a/s', spoolDirectory: '/a/spool' }).plugins
  expect(plugin).toEqual({
    type: 'terway',
    capabilities: CAPABILITIES,
    daemon_socket: '/a/s',
    spool_dir: '/a/spool',
  })
})

describe('port mappings', () => {
  test('are done by portmap when the runtime can find it', () => {
    const { content, warnings } = conflist({ ...DEFAULTS, findBinary: holding('portmap') })
    expect(JSON.parse(content).plugins).toEqual([{ type: 'terway', capabilities: CAPABILITIES }, PORTMAP])
    expect(warnings).toEqual([])
  })

  test('are not promised without it, and that is told', () => {
    expect(conflist(DEFAULTS).warnings).toEqual([expect.stringContaining('hostPort of pods has no effect')])
  })

  test("are done as the operator's own entry says", () => {
    const plugins = [{ type: 'terway' }, { type: 'portmap', markMasqBit: 5 }, { type: 'tuning' }]
    const list = listOf({ template: template({ plugins }), findBinary: holding('portmap', 'tuning') })
    expect(list.plugins.slice(1)).toEqual([{ type: 'portmap', markMasqBit: 5 }, { type: 'tuning' }])
  })
})

describe('with other plugins', () => {
  test('version 1.1.0 is offered only when all of them speak it', () => {
    const plugins = template({ plugins: [{ type: 'terway' }, { type: 'cilium-cni' }] })
    const found = { speaksNewest: true }
    const all = listOf({ template: plugins, findBinary: () => found })
    expect(all.cniVersions).toEqual(['0.4.0', '1.0.0', '1.1.0'])
    const findBinary = (type: string) => ({ speaksNewest: type !== 'portmap' })
    expect(listOf({ template: plugins, findBinary }).cniVersions).toEqual(['0.4.0', '1.0.0'])
  })

  test('one that the runtime will not find is told', () => {
    const plugins = template({ plugins: [{ type: 'terway' }, { type: 'cilium-cni' }] })
    const { warnings } = conflist({ ...DEFAULTS, template: plugins, findBinary: holding('portmap') })
    expect(warnings).toEqual([expect.stringContaining('the plugin "cilium-cni", which is not in --cni-bin-dir')])
  })
})

test("the operator's keys are carried over; name, versions and paths are ours", () => {
  const keys = {
    ...{ eniip_virtual_type: 'IPVlan', host_stack_cidrs: ['169.254.20.10/32'], mtu: 1400, disable_host_peer: true },
    ...{ vlan_strip_type: 'vlan', enable_network_priority: true, symmetric_routing: true, of_a_later_release: [1] },
  }
  const list = listOf({
    socket: '/a/s',
    template: template({
      ...{ cniVersion: '1.1.0', name: 'other', disableCheck: true },
      plugins: [
        {
          type: 'terway',
          daemon_socket: '/theirs',
          spool_dir: '/theirs',
          capabilities: { bandwidth: false, mac: true },
          ...keys,
        },
      ],
    }),
  })
  expect(list).toEqual({
    cniVersion: '1.0.0',
    cniVersions: ['0.4.0', '1.0.0', '1.1.0'],
    name: 'terway',
    disableCheck: true,
    plugins: [
      {
        type: 'terway',
        ...keys,
        capabilities: { ...CAPABILITIES, bandwidth: false, mac: true },
        daemon_socket: '/a/s',
      },
    ],
  })
})

describe('the file', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'terway-conflist-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  test('is written once, and again only when its content changes', () => {
    const path = join(directory, '10-terway.conflist')
    const { content } = conflist(DEFAULTS)
    expect(writeConflist(directory, content)).toBe(true)
    const { ino } = statSync(path)
    expect(writeConflist(directory, content)).toBe(false)
    expect(statSync(path).ino).toBe(ino)
    expect(writeConflist(directory, conflist({ ...DEFAULTS, socket: '/a/s' }).content)).toBe(true)
    expect(readFileSync(path, 'utf8')).toContain('/a/s')
    expect(readdirSync(directory)).toEqual(['10-terway.conflist'])
  })
})
