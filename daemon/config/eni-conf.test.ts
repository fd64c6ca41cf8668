import { describe, expect, test } from '@jest/globals'
import { ConfigError, parseEniConf } from './eni-conf.ts'

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
      vSwitchPolicy: 'ordered',
      rateLimit: {},
      vSwitches: new Map([['cn-hangzhou-h', ['vsw-bp1xxx', 'vsw-bp2xxx']]]),
      eniTags: { Environment: 'production' },
      minPoolSize: 10,
      maxPoolSize: 25,
      maxEni: undefined,
      coolDown: 30_000,
    })
  })

  test('an empty configuration has the documented defaults', () => {
    expect(parseEniConf('{}').conf).toMatchObject({ minPoolSize: 10, maxPoolSize: 25, coolDown: 30_000 })
    expect(parseEniConf('{"max_pool_size": 5}').conf).toMatchObject({ minPoolSize: 5, maxPoolSize: 5 })
    expect(parseEniConf('{"min_pool_size": 40}').conf).toMatchObject({ minPoolSize: 40, maxPoolSize: 40 })
  })

  test('an empty access key means the next source of credentials', () => {
    expect(parseEniConf('{"access_key": "", "access_secret": ""}').conf.accessKey).toBeUndefined()
  })

  test('half an access key is none, and a warning', () => {
    const { conf, warnings } = parseEniConf('{"access_key": "LTAI"}')
    expect(conf.accessKey).toBeUndefined()
    expect(warnings).toEqual([expect.stringContaining('only one is set')])
  })

  test('an unknown key is a warning that names the nearest known one', () => {
    const { warnings } = parseEniConf('{"max_pool_sise": 7, "something_else_entirely": 1}')
    expect(warnings).toEqual([
      'eni_conf: max_pool_sise is not known and has no effect; did you mean max_pool_size?',
      'eni_conf: something_else_entirely is not known and has no effect',
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
    ['{"rate_limit": {"eni_create_qps": 0}}', /rate_limit.eni_create_qps must be above 0/],
    ['{"rate_limit": {"eni_creat_qps": 1}}', /rate_limit has no eni_creat_qps: there are eni_create_qps, /],
    ['{"rate_limit": 5}', /rate_limit must be an object/],
    ['{"vswitch_selection_policy": "mots"}', /vswitch_selection_policy must be one of ordered, random, most/],
    ['{"credential_path": "token"}', /credential_path must be an absolute path/],
    ['[]', /the file/],
    ['{"min_pool_size": "5"}', /min_pool_size must be a whole number/],
    ['{"min_pool_size": -1}', /min_pool_size must not be negative/],
    ['{"min_pool_size": 9, "max_pool_size": 3}', /min_pool_size 9 must not exceed max_pool_size 3/],
    ['{"service_cidr": "172.16/16"}', /service_cidr must be prefixes/],
    ['{"security_group": "../etc"}', /security_group not a cloud resource id/],
    ['{"network_mode": "VPC"}', /network_mode must be "ENIIP"/],
  ])('%s is refused', (text, message) => {
    expect(() => parseEniConf(text)).toThrow(ConfigError)
    expect(() => parseEniConf(text)).toThrow(message)
  })
})
