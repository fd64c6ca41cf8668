import { describe, expect, test } from '@jest/globals'
import { parseNetConf, parseNetConfHeader } from './netconf.ts'

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value))
const BASE = { cniVersion: '1.1.0', name: 'terway', type: 'terway' }

test('a configuration with nothing but the required keys', () => {
  expect(parseNetConf(bytes(BASE), 'ADD')).toEqual({
    cniVersion: '1.1.0',
    name: 'terway',
    virtualType: 'veth',
    vlanStripType: undefined,
    hostStackCidrs: [],
    extraRoutes: [],
    mtu: undefined,
    disableHostPeer: false,
    networkPriority: false,
    bandwidth: {},
    annotations: {},
    prevResult: undefined,
    validAttachments: undefined,
  })
})

test('a configuration with everything, keys of other plugins among it', () => {
  const conf = parseNetConf(
    bytes({
      ...BASE,
      cniVersion: '0.4.0',
      eniip_virtual_type: 'IPVlan',
      host_stack_cidrs: ['169.254.20.10/32', 'fd00::1/64'],
      mtu: 1450,
      disable_host_peer: 'true',
      enable_network_priority: 'false',
      veth_prefix: 'cali',
      vlan_strip_type: 'VLAN',
      extra_routes: ['100.64.1.0/10', { dst: 'fd01::/16' }],
      capabilities: { bandwidth: true },
      prevResult: { cniVersion: '0.4.0', ips: [] },
      args: { cni: { anything: 1 } },
    }),
    'ADD',
  )
  expect(conf).toMatchObject({
    cniVersion: '0.4.0',
    virtualType: 'ipvlan',
    hostStackCidrs: ['169.254.20.10/32', 'fd00::/64'],
    vlanStripType: 'vlan',
    extraRoutes: ['100.64.0.0/10', 'fd01::/16'],
    mtu: 1450,
    disableHostPeer: true,
    networkPriority: false,
    prevResult: { cniVersion: '0.4.0', ips: [] },
  })
})

test.each([
  ['true', true],
  ['false', false],
])('a boolean as the text %j', (text, value) => {
  const keys = { disable_host_peer: text, enable_network_priority: text }
  expect(parseNetConf(bytes({ ...BASE, ...keys }), 'ADD')).toMatchObject({
    disableHostPeer: value,
    networkPriority: value,
  })
})

test('null and zero mean the default', () => {
  const conf = parseNetConf(
    bytes({
      ...{ ...BASE, mtu: 0, host_stack_cidrs: null, runtimeConfig: null, prevResult: null, eniip_virtual_type: '' },
      ...{ vlan_strip_type: '', extra_routes: null, veth_prefix: '' },
    }),
    'ADD',
  )
  expect(conf).toMatchObject({ vlanStripType: undefined, extraRoutes: [], annotations: {} })
  expect(conf).toMatchObject({ mtu: undefined, hostStackCidrs: [], prevResult: undefined, virtualType: 'veth' })
})

describe('runtimeConfig', () => {
  test.each([
    ['CRI-O', { bandwidth: { ingressRate: 8_000_000, ingressBurst: 4_294_967_295, egressRate: 1, egressBurst: 2 } }],
    [
      'containerd',
      { bandwidth: { IngressRate: 8_000_000, IngressBurst: 4_294_967_295, EgressRate: 1, EgressBurst: 2 } },
    ],
  ])('in the casing of %s, values beyond 31 bits', (_runtime, runtimeConfig) => {
    expect(parseNetConf(bytes({ ...BASE, runtimeConfig }), 'ADD').bandwidth).toEqual({
      ingressRate: 8_000_000,
      ingressBurst: 4_294_967_295,
      egressRate: 1,
      egressBurst: 2,
    })
  })

  test('a zero rate is no limit, and 2^64 - 1 is a number', () => {
    const text = JSON.stringify({ ...BASE, runtimeConfig: { bandwidth: { ingressRate: 0, egressRate: 'MAX' } } })
    const conf = parseNetConf(Buffer.from(text.replace('"MAX"', '18446744073709551615')), 'ADD')
    expect(conf.bandwidth).toEqual({ egressRate: 2 ** 64 })
  })
})

describe('pod annotations', () => {
  test.each(['io.kubernetes.cri.pod-annotations', 'IO.Kubernetes.CRI.Pod-Annotations'])(
    '%s keeps their keys',
    (key) => {
      const annotations = { 'Example.com/CamelCase': 'Value', 'k8s.aliyun.com/network-priority': 'guaranteed' }
      expect(parseNetConf(bytes({ ...BASE, runtimeConfig: { [key]: annotations } }), 'ADD').annotations).toEqual(
        annotations,
      )
    },
  )
})

test.each([
  ['containerd', { PortMappings: [{ HostPort: 80, ContainerPort: 8080, Protocol: 'tcp', HostIP: '' }] }],
  ['CRI-O', { portMappings: [{ hostPort: 80, containerPort: 8080, protocol: 'tcp' }] }],
])('port mappings, which are for another plugin, in the casing of %s', (_runtime, runtimeConfig) => {
  expect(parseNetConf(bytes({ ...BASE, runtimeConfig }), 'ADD')).toEqual(parseNetConf(bytes(BASE), 'ADD'))
})

test('Q23: a veth_prefix that could not be followed is refused by key and value: code 2', () => {
  expect(() => parseNetConf(bytes({ ...BASE, veth_prefix: 'eth' }), 'ADD')).toThrow(
    expect.objectContaining({
      code: 2,
      message:
        'config-unsupported: veth_prefix "eth": pods\' links on the node are named cali…, by which policy engines find them',
    }),
  )
})

describe('GC lists', () => {
  const keep = [{ containerID: 'c1', ifname: 'eth0' }]

  test.each([
    ['the key of the specification', { 'cni.dev/valid-attachments': keep }, [{ containerId: 'c1', ifname: 'eth0' }]],
    ['the older key alone', { 'cni.dev/attachments': keep }, [{ containerId: 'c1', ifname: 'eth0' }]],
    ['both: the first counts', { 'cni.dev/valid-attachments': [], 'cni.dev/attachments': keep }, []],
    ['none, which is not an empty list', {}, undefined],
  ])('%s', (_name, keys, expected) => {
    expect(parseNetConf(bytes({ ...BASE, ...keys }), 'GC').validAttachments).toEqual(expected)
  })

  test('a list that cannot be understood is refused as a whole', () => {
    const list = [...keep, { containerID: '../c2', ifname: 'eth0' }]
    expect(() => parseNetConf(bytes({ ...BASE, 'cni.dev/valid-attachments': list }), 'GC')).toThrow(
      expect.objectContaining({ code: 7, message: expect.stringContaining('cni.dev/valid-attachments') }),
    )
  })
})

describe('bad input', () => {
  test.each(['', '{', 'nonsense', '{"cniVersion":"1.0.0",}'])('%j is not JSON: code 6', (text) => {
    expect(() => parseNetConf(Buffer.from(text), 'ADD')).toThrow(
      expect.objectContaining({ code: 6, message: expect.stringMatching(/^config-malformed: /) }),
    )
  })

  test('bytes that are not UTF-8: code 6', () => {
    const broken = Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])
    expect(() => parseNetConf(broken, 'ADD')).toThrow(expect.objectContaining({ code: 6 }))
  })

  test.each(['[]', '"x"', '1', 'null'])('%s is not an object: code 7', (text) => {
    expect(() => parseNetConf(Buffer.from(text), 'ADD')).toThrow(
      expect.objectContaining({ code: 7, message: 'config-invalid: the network configuration must be a JSON object' }),
    )
  })

  test.each([
    [{ name: undefined }, 'name must be a string, it is missing'],
    [{ name: 7 }, 'name must be a string, not 7'],
    [{ name: '../x' }, 'name must be letters, digits, "_", "." and "-", the first not a sign, not "../x"'],
    [{ cniVersion: 1.1 }, 'cniVersion must be a string, not 1.1'],
    [{ mtu: 'big' }, 'mtu must be a whole number from 576 to 65535, or 0 for the default, not "big"'],
    [{ mtu: 575 }, 'mtu must be a whole number from 576 to 65535, or 0 for the default, not 575'],
    [{ mtu: 65_536 }, 'mtu must be a whole number from 576 to 65535, or 0 for the default, not 65536'],
    [{ eniip_virtual_type: 'tun' }, 'eniip_virtual_type must be "veth", "ipvlan" or "datapathv2", not "tun"'],
    [{ host_stack_cidrs: '10.0.0.0/8' }, 'host_stack_cidrs must be a list of prefixes, not "10.0.0.0/8"'],
    [{ host_stack_cidrs: ['10.0.0.0/33'] }, 'host_stack_cidrs.0 must be a prefix like 10.0.0.0/8, not "10.0.0.0/33"'],
    [{ vlan_strip_type: 'qinq' }, 'vlan_strip_type must be "vlan" or "filter", not "qinq"'],
    [{ extra_routes: '10.0.0.0/8' }, 'extra_routes must be a list of prefixes, not "10.0.0.0/8"'],
    [{ extra_routes: ['10.0.0.1'] }, 'extra_routes.0 must be a prefix or {"dst": PREFIX}, not "10.0.0.1"'],
    [{ extra_routes: [{ gw: 'x' }] }, 'extra_routes.0 must be a prefix or {"dst": PREFIX}, not {"gw":"x"}'],
    [{ veth_prefix: 1 }, 'veth_prefix must be a string, not 1'],
    [
      { runtimeConfig: { 'io.kubernetes.cri.pod-annotations': { a: 1 } } },
      'runtimeConfig.io.kubernetes.cri.pod-annotations.a must be a string, not 1',
    ],
    [{ disable_host_peer: 'yes' }, 'disable_host_peer must be true or false, not "yes"'],
    [{ runtimeConfig: [] }, 'runtimeConfig must be an object, not []'],
    [
      { runtimeConfig: { Bandwidth: { IngressRate: '1M' } } },
      'runtimeConfig.bandwidth.ingressrate must be a number of at least 0, not "1M"',
    ],
    [{ prevResult: 'x' }, 'prevResult must be an object, not "x"'],
  ])('%j: code 7', (change, problem) => {
    expect(() => parseNetConf(bytes({ ...BASE, ...change }), 'ADD')).toThrow(
      expect.objectContaining({ code: 7, message: `config-invalid: ${problem}` }),
    )
  })

  test('all wrong keys are named at once', () => {
    expect(() => parseNetConf(bytes({ ...BASE, name: 1, mtu: -1 }), 'ADD')).toThrow(/name must .*; mtu must /)
  })

  test('the version is judged before the other keys', () => {
    for (const cniVersion of ['2.0.0', '', undefined]) {
      expect(() => parseNetConf(bytes({ cniVersion, mtu: 'big' }), 'ADD')).toThrow(expect.objectContaining({ code: 1 }))
    }
  })
})

test('DEL looks at nothing but version and name', () => {
  expect(parseNetConfHeader(bytes({ ...BASE, mtu: 'big', prevResult: 3 }), 'DEL')).toEqual({
    cniVersion: '1.1.0',
    name: 'terway',
  })
  expect(() => parseNetConfHeader(bytes({ cniVersion: '1.1.0' }), 'DEL')).toThrow(expect.objectContaining({ code: 7 }))
})
