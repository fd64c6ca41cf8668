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

  test('an unknown key is a warning that names the nearest known one', () => {
    const { warnings } = parseEniConf('{"max_pool_sise": 7, "something_else_entirely": 1}')
    expect(warnings).toEqual([
      'eni_conf: max_pool_sise is not known and has no effect; did you mean max_pool_size?',
      'eni_conf: something_else_entirely is not known and has no effect',
    ])
  })

  test.each([
    ['{', /not JSON/],
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
