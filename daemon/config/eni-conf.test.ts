import { inspect } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { ConfigError, KNOWN_KEYS, parseEniConf } from './eni-conf.ts'

function refusalOf(text: string): Error {
  try {
    parseEniConf(text)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('it was not refused')
}

describe('eni_conf', () => {
  test('the shape of the documents, comments and all', () => {
    const { conf, warnings } = parseEniConf(`{
      "version": "1", // first
      "access_key": "LTAI", "access_secret": "s#3//x", # not a comment inside the string
      "security_group": "sg-bp1xxx",
      "service_cidr": "172.16.0.0/16",
      "vswitches": { "cn-hangzhou-h": ["vsw-bp1xxx", "vsw-bp2xxx"] },
      "max_pool_size": 25, "min_pool_size": 10,
      "eni_tags": { "Environment": "production" }
    }`)
    expect(warnings).toEqual([])
    expect(conf).toEqual({
      accessKey: { id: 'LTAI', secret: 's#3//x' },
      securityGroups: ['sg-bp1xxx'],
      credentialPath: undefined,
      datapath: { policyRoute: 'map', serviceCidrs: ['172.16.0.0/16'], mtu: 1500 },
      route: undefined,
      vSwitchPolicy: 'ordered',
      rateLimit: {},
      vSwitches: new Map([['cn-hangzhou-h', ['vsw-bp1xxx', 'vsw-bp2xxx']]]),
      vSwitchIds: [],
      eniTags: { Environment: 'production' },
      pool: expect.objectContaining({ minPool: 10, maxPool: 25 }),
      coolDown: 30_000,
    })
  })

  test('an empty configuration has the documented defaults', () => {
    const { pool, coolDown } = parseEniConf('{}').conf
    expect({ ...pool, coolDown }).toEqual({
      ...{ kind: 'shared', families: ['ipv4'], unit: 'address', strategy: 'fixed', order: 'most-pods' },
      ...{ minPool: 10, maxPool: 25, minPoolEnis: 0, minEnis: 0, depletedAt: undefined, attachTries: 5 },
      ...{ eniCap: { ratio: 1, shift: 0, max: Infinity }, maxPerEni: Infinity },
      ...{ reserve: 0, firstFill: 0, minPrefixes: 0, coolDown: 30_000 },
      batch: { addresses: Infinity, enis: Infinity, wait: 50 },
      warmUp: undefined,
      idle: { after: 300_000, interval: 0, batch: Infinity, jitter: 0 },
      gc: { interval: 300_000, orphanTtl: 0 },
      ...{ clusterId: undefined, tagFilter: {} },
      blockedTags: [
        { key: 'creator', value: 'alibabacloud-erdma-controller' },
        { key: 'terway.alibabacloud.com/excluded', value: 'true' },
      ],
    })
  })

  test('an empty access key means the next source of credentials', () => {
    expect(parseEniConf('{"access_key": "", "access_secret": ""}').conf.accessKey).toBeUndefined()
  })

  test('half an access key is none, and a warning', () => {
    const { conf, warnings } = parseEniConf('{"access_key": "LTAI"}')
    expect(conf.accessKey).toBeUndefined()
    expect(warnings).toEqual([expect.stringContaining('only one is set')])
  })

  test('a key with null or an empty text is not set, whatever it is', () => {
    const keys = [...(KNOWN_KEYS.get('') ?? [])]
    expect(keys).toContain('max_pool_size')
    for (const unset of ['', null]) {
      const { conf, warnings } = parseEniConf(JSON.stringify(Object.fromEntries(keys.map((key) => [key, unset]))))
      expect(conf).toEqual(parseEniConf('{}').conf)
      expect(warnings).toEqual([])
    }
    expect(parseEniConf('{"vswitches": {"cn-sim-h": null}}').conf.vSwitches.size).toBe(0)
    for (const [section, fields] of KNOWN_KEYS) {
      if (section === '') continue
      const text = JSON.stringify({ [section]: Object.fromEntries(fields.map((key) => [key, null])) })
      expect(parseEniConf(text)).toEqual(parseEniConf(JSON.stringify({ [section]: {} })))
    }
  })

  test.each([
    '{"access_key": "LTAI", "access_secret": s3cr3t-of-ours}',
    '{"access_key": "LTAI", "access_secret": "s3cr3t-of-ours",}',
    `{"access_key": "LTAI", "access_secret": 's3cr3t-of-ours'}`,
    '{"access_secret": "s3cr3t-of-ours" "access_key": "LTAI"}',
    '{"access_secret": "s3cr3t-of-ours',
  ])('a file that is not JSON is not quoted: %s', (text) => {
    const refusal = refusalOf(`// a comment\n${text}`)
    expect(refusal.message).toMatch(/^eni_conf is not JSON: look at line 2, column \d+$/)
    expect(inspect(refusal)).not.toMatch(/s3cr3t|LTAI/)
  })

  test('an unknown key is a warning that names the nearest known one', () => {
    const { warnings } = parseEniConf('{"max_pool_sise": 7, "something_else_entirely": 1}')
    expect(warnings).toEqual([
      'eni_conf: max_pool_sise is not known and has no effect; did you mean max_pool_size?',
      'eni_conf: something_else_entirely is not known and has no effect',
    ])
  })

  test('an unknown key of a section is named with it, and looked for in the whole file', () => {
    const { warnings } = parseEniConf(`{
      "ipam_config": { "max_pool_sise": 7, "ip_warm_up_size": 1, "min_pool_size": 2 },
      "resource_gc": { "enabled": true, "period_of_the_collection": 7 },
      "ipam_config.max_pool_size": 3
    }`)
    expect(warnings).toEqual([
      'eni_conf: ipam_config.max_pool_size is not known and has no effect; did you mean ipam_config.max_pool_size?',
      'eni_conf: ipam_config.max_pool_sise is not known and has no effect; did you mean ipam_config.max_pool_size?',
      'eni_conf: ipam_config.ip_warm_up_size is not known and has no effect; did you mean ip_warm_up_size?',
      'eni_conf: resource_gc.enabled is not known and has no effect; did you mean resource_gc.enable?',
      'eni_conf: resource_gc.period_of_the_collection is not known and has no effect',
    ])
  })

  test('a known key that sets nothing is one warning, which says what does', () => {
    const { warnings } = parseEniConf(
      '{"cache_config": {"x": 1}, "eni_config": {"eni_gc_threshold": 5}, "ha_config": ""}',
    )
    expect(warnings).toEqual([
      'eni_conf: cache_config has no effect: how often the cloud is asked is resource_gc.interval_seconds',
      'eni_conf: eni_config.eni_gc_threshold has no effect: max_pool_size and idle_ip_reclaim_after say what goes back',
    ])
  })

  test('rate_limit in calls a second of a kind of change, and in calls a minute of an action', () => {
    const limitOf = (limit: object) => parseEniConf(JSON.stringify({ rate_limit: limit })).conf.rateLimit
    expect(limitOf({ eni_create_qps: 5, eni_delete_qps: 5, ip_assign_qps: 20 })).toEqual({
      eniCreateQps: 5,
      eniDeleteQps: 5,
      ipAssignQps: 20,
    })
    expect(limitOf({ eni_create_qps: 10, ip_unassign_qps: 0.5, burst_size: 20 })).toEqual({
      eniCreateQps: 10,
      ipUnassignQps: 0.5,
      burstSize: 20,
    })
    expect(limitOf({ CreateNetworkInterface: 100, DescribeVSwitches: 30 })).toEqual({
      perAction: { CreateNetworkInterface: 100, DescribeVSwitches: 30 },
    })
  })

  test('a rate of 0 is the default, and an action that is not called has no effect: both are told', () => {
    const limit = { CreateNetworkInterface: 0, burst_size: 0, DescribeVSwitch: 3, eni_creat_qps: 1, AttachDisk: 9 }
    const { conf, warnings } = parseEniConf(JSON.stringify({ rate_limit: { ...limit, DescribeVpcs: null } }))
    expect(conf.rateLimit).toEqual({})
    expect(warnings).toEqual([
      'eni_conf: rate_limit.DescribeVSwitch is not known and has no effect; did you mean DescribeVSwitches?',
      'eni_conf: rate_limit.eni_creat_qps is not known and has no effect; did you mean eni_create_qps?',
      'eni_conf: rate_limit.AttachDisk is not known and has no effect',
      'eni_conf: rate_limit.CreateNetworkInterface is 0, which would allow no call: the default is used',
      'eni_conf: rate_limit.burst_size is 0, which would allow no call: the default is used',
    ])
  })

  test('a burst that takes much of a steady rate is a warning', () => {
    const { warnings } = parseEniConf('{"rate_limit": {"eni_create_qps": 1, "burst_size": 20}}')
    expect(warnings).toEqual([expect.stringMatching(/^eni_conf: burst_size 20 .*CreateNetworkInterface/)])
  })

  test('the token file and the choice of vSwitches', () => {
    const text = '{"credential_path": "/var/addon/token-config", "vswitch_selection_policy": "most"}'
    expect(parseEniConf(text).conf).toMatchObject({
      credentialPath: '/var/addon/token-config',
      vSwitchPolicy: 'most',
    })
    expect(parseEniConf('{"credential_path": ""}').conf.credentialPath).toBeUndefined()
  })

  test.each([
    ['{', /not JSON/],
    ['{"rate_limit": {"eni_create_qps": -1}}', /rate_limit.eni_create_qps must not be negative/],
    ['{"rate_limit": {"AttachNetworkInterface": "5"}}', /rate_limit.AttachNetworkInterface must be a number/],
    ['{"rate_limit": 5}', /rate_limit must be an object/],
    ['{"vswitch_selection_policy": "mots"}', /vswitch_selection_policy must be one of ordered, random, most/],
    ['{"credential_path": "token"}', /credential_path must be an absolute path/],
    ['[]', /the file/],
    ['{"min_pool_size": "5"}', /min_pool_size must be a whole number/],
    ['{"min_pool_size": -1}', /min_pool_size must not be negative/],
    ['{"min_pool_size": 9, "max_pool_size": 3}', /min_pool_size 9 must not exceed max_pool_size 3/],
    ['{"service_cidr": "172.16/16"}', /service_cidr must be prefixes/],
    ['{"security_group": "../etc"}', /security_group not a cloud resource id/],
    ['{"ip_cooldown_seconds": "30s"}', /ip_cooldown_seconds must be a number of seconds/],
    [
      '{"max_eni": 1.5, "ipam_config": {"max_pool_size": "5"}}',
      /ipam_config.max_pool_size must be .*; max_eni must be/,
    ],
    ['{"ip_warmup": true}', /ip_warmup must be an object/],
    ['{"policy_route": "nft"}', /policy_route must be one of map, rules/],
    ['{"eni_mtu": 100}', /eni_mtu must be a whole number from 576 to 65535/],
    ['{"eni_mtu": 1000, "ip_stack": "dual"}', /eni_mtu must be at least 1280 where pods have IPv6/],
    ['{"network_mode": "VPC", "route_table_limit": 0}', /route_table_limit must be at least 1/],
    ['{"network_mode": "VPC", "pod_cidr": "10.1.0.0/24, fd00::/64"}', /pod_cidr: pods have no ipv6 addresses/],
    ['{"network_mode": "VPC", "pod_cidr": "10.1.0.0/24", "ip_stack": "dual"}', /pod_cidr: .* no ipv6 prefix/],
    ['{"network_mode": "VPC", "pod_cidr": "10.1.0.0"}', /pod_cidr must be prefixes/],
  ])('%s is refused', (text, message) => {
    expect(() => parseEniConf(text)).toThrow(ConfigError)
    expect(() => parseEniConf(text)).toThrow(message)
  })
})

test('groups and vSwitches under their other names', () => {
  const { conf, warnings } = parseEniConf('{"security_group_ids": ["sg-2", "sg-1"], "vswitch_ids": ["vsw-1", "vsw-2"]}')
  expect(conf).toMatchObject({ securityGroups: ['sg-1', 'sg-2'], vSwitchIds: ['vsw-1', 'vsw-2'] })
  expect(warnings).toEqual([])
  const same = '{"security_groups": ["sg-1", "sg-2"], "security_group_ids": ["sg-2", "sg-1"]}'
  expect(parseEniConf(same).conf.securityGroups).toEqual(['sg-1', 'sg-2'])
})

test.each([
  [
    '{"security_groups": ["sg-1"], "security_group_ids": ["sg-2"]}',
    /security_groups and security_group_ids .* must not/,
  ],
  [
    '{"vswitches": {"cn-sim-h": ["vsw-1"]}, "vswitch_ids": ["vsw-1"]}',
    /vswitches and vswitch_ids are the same setting/,
  ],
])('%s: two names that do not agree are refused', (text, message) => {
  expect(() => parseEniConf(text)).toThrow(message)
})

describe('how pods are connected', () => {
  const confOf = (file: object) => parseEniConf(JSON.stringify(file))

  test('by default: marks by source, Ethernet frames, nothing known of services', () => {
    expect(confOf({}).conf.datapath).toEqual({ policyRoute: 'map', serviceCidrs: [], mtu: 1500 })
    expect(confOf({}).conf.route).toBeUndefined()
  })

  test('as the file says', () => {
    const file = { policy_route: 'rules', service_cidr: '172.16.0.0/16, fd01::/108', eni_mtu: 8500, ip_stack: 'dual' }
    const serviceCidrs = ['172.16.0.0/16', 'fd01::/108']
    expect(confOf(file).conf.datapath).toEqual({ policyRoute: 'rules', serviceCidrs, mtu: 8500 })
  })

  test('pods that services are not behind their node for need to know them', () => {
    const warning = 'eni_conf: service_cidr has no ipv6 prefix: pods reach no such services'
    const file = { network_mode: 'ENI', ip_stack: 'dual', service_cidr: '172.16.0.0/16' }
    expect(confOf(file).warnings).toEqual([warning])
    expect(confOf({ ...file, network_mode: 'ENIIP' }).warnings).toEqual([])
  })

  test('prefixes of the node are for VPC route mode', () => {
    const file = { network_mode: 'VPC', pod_cidr: '10.1.0.0/24,fd00::/64', ip_stack: 'dual', route_table_id: 'vtb-1' }
    const route = { podCidrs: ['10.1.0.0/24', 'fd00::/64'], tableLimit: 50, tables: ['vtb-1'] }
    expect(confOf(file).conf.route).toEqual(route)
    expect(confOf({ network_mode: 'VPC', route_table_limit: 200 }).conf.route).toEqual({
      ...{ podCidrs: [], tableLimit: 200, tables: undefined },
    })
    expect(confOf({ pod_cidr: '10.1.0.0/24' }).warnings).toEqual([
      'eni_conf: pod_cidr has no effect without network_mode "VPC"',
    ])
  })
})
