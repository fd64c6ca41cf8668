/** The examples of the users' documents as they stand there. Each is read, or refused by the name of what it asks for. */
import { describe, expect, test } from '@jest/globals'
import { parseEniConf } from './eni-conf.ts'

describe('read', () => {
  test('a node of several zones', () => {
    const { conf, warnings } = parseEniConf(`{
      "version": "1",
      
      # IP 池配置
      "max_pool_size": 25,
      "min_pool_size": 10,
      
      # 认证配置
      "credential_path": "/var/addon/token-config",
      
      # vSwitch 配置 (多可用区)
      "vswitches": {
        "cn-hangzhou-h": ["vsw-xxx1", "vsw-xxx2"],
        "cn-hangzhou-i": ["vsw-yyy1", "vsw-yyy2"]
      },
      
      # 安全组配置
      "security_groups": ["sg-xxxxxxxxxx"],
      
      # Service CIDR
      "service_cidr": "172.21.0.0/20",
      
      # vSwitch 选择策略
      "vswitch_selection_policy": "ordered",
      
      # ENI 绑定模式
      "eni_binding_mode": "ENIIP",
      
      # IP 类型
      "ip_type": "IPv4"
    }`)
    expect(warnings).toEqual([])
    expect(conf.pool).toMatchObject({ kind: 'shared', families: ['ipv4'], minPool: 10, maxPool: 25 })
  })

  test('a node in production', () => {
    const { conf, warnings } = parseEniConf(`{
      "version": "1",
      
      # IP 池: 根据节点规格调整
      "max_pool_size": 25,
      "min_pool_size": 10,
      
      # 多可用区 vSwitch (高可用)
      "vswitches": {
        "cn-hangzhou-h": ["vsw-prod-h1", "vsw-prod-h2"],
        "cn-hangzhou-i": ["vsw-prod-i1", "vsw-prod-i2"]
      },
      
      # 生产安全组
      "security_groups": ["sg-prod-base"],
      
      # 负载均衡策略
      "vswitch_selection_policy": "random",
      
      # 推荐模式
      "eni_binding_mode": "ENIIP"
    }`)
    expect(warnings).toEqual([])
    expect(conf.pool).toMatchObject({ kind: 'shared', minPool: 10, maxPool: 25 })
  })

  test('a patch of the pool alone', () => {
    const { conf, warnings } = parseEniConf('{"version":"1","max_pool_size":30,"min_pool_size":15}')
    expect(warnings).toEqual([])
    expect(conf.pool).toMatchObject({ minPool: 15, maxPool: 30 })
  })

  test('the mode of shared ENIs', () => {
    const { conf, warnings } = parseEniConf(`{
      "version": "1",
      "max_pool_size": 25,
      "min_pool_size": 10,
      "vswitches": {
        "cn-hangzhou-h": ["vsw-bp1xxx", "vsw-bp2xxx"],
        "cn-hangzhou-i": ["vsw-bp3xxx"]
      },
      "security_group": "sg-bp1xxx",
      "service_cidr": "172.16.0.0/16",
      "network_mode": "ENIIP",
      "eni_tags": {
        "Environment": "production",
        "ManagedBy": "terway"
      }
    }`)
    expect(warnings).toEqual([])
    expect(conf.pool).toMatchObject({ kind: 'shared', minPool: 10, maxPool: 25 })
  })

  test('the advanced options', () => {
    const { conf, warnings } = parseEniConf(`{
      "version": "1",
      "security_group": "sg-bp1xxx",
      "service_cidr": "172.16.0.0/16",
      "vswitches": {
        "cn-hangzhou-h": ["vsw-bp1xxx"]
      },
      "max_pool_size": 50,
      "min_pool_size": 20,
      
      // 高级选项
      "eni_cap_policy": "prefer_trunk",
      "enable_eni_trunking": true,
      "trunk_eni_count": 2,
      
      // IP 分配策略
      "ip_allocation_policy": {
        "prefer_eni_with_most_ips": true,
        "ip_reserve_percent": 20
      },
      
      // 资源回收
      "resource_gc": {
        "enable": true,
        "interval_seconds": 300,
        "orphan_eni_ttl_seconds": 600
      },
      
      // API 限流
      "rate_limit": {
        "eni_create_qps": 5,
        "eni_delete_qps": 5,
        "ip_assign_qps": 20
      }
    }`)
    expect(warnings).toEqual([
      expect.stringMatching(/eni_cap_policy has no effect: max_eni/),
      expect.stringMatching(/enable_eni_trunking has no effect: network_mode/),
      expect.stringMatching(/trunk_eni_count has no effect: /),
    ])
    expect(conf.pool).toMatchObject({
      ...{ minPool: 20, maxPool: 50, order: 'most-pods', reserve: 0.2 },
      gc: { interval: 300_000, orphanTtl: 600_000 },
    })
  })

  test('capacity for three zones', () => {
    const { conf, warnings } = parseEniConf(`{
      "version": "1",
      "security_group": "sg-bp1prod",
      "service_cidr": "172.16.0.0/16",
      "vswitches": {
        "cn-hangzhou-h": [
          "vsw-bp1xxx-pod-1",
          "vsw-bp1xxx-pod-2"
        ],
        "cn-hangzhou-i": [
          "vsw-bp2xxx-pod-1",
          "vsw-bp2xxx-pod-2"
        ],
        "cn-hangzhou-j": [
          "vsw-bp3xxx-pod-1",
          "vsw-bp3xxx-pod-2"
        ]
      },
      "max_pool_size": 60,
      "min_pool_size": 30,
      "eni_tags": {
        "Environment": "production",
        "CostCenter": "platform-infra"
      }
    }`)
    expect(warnings).toEqual([])
    expect(conf.pool).toMatchObject({ minPool: 30, maxPool: 60 })
  })

  test('ENIs attached before there are pods', () => {
    const { conf, warnings } = parseEniConf(`{
      "version": "1",
      "security_group": "sg-bp1xxx",
      "service_cidr": "172.16.0.0/16",
      "vswitches": {
        "cn-hangzhou-h": ["vsw-bp1xxx"]
      },
      
      // IP 池配置
      "max_pool_size": 80,
      "min_pool_size": 40,
      
      // ENI 预挂载配置
      "eni_cap_policy": "prefer_eni",
      "pre_attach_eni_count": 2,
      
      // IP 预热配置
      "ip_warmup": {
        "enable": true,
        "warmup_interval_seconds": 60,
        "warmup_batch_size": 10
      },
      
      // 资源回收配置
      "resource_gc": {
        "enable": true,
        "interval_seconds": 300,
        "idle_ip_ttl_seconds": 600,
        "orphan_eni_ttl_seconds": 1800
      }
    }`)
    expect(warnings).toEqual([expect.stringMatching(/eni_cap_policy has no effect/)])
    expect(conf.pool).toMatchObject({
      ...{ minPool: 40, maxPool: 80, minEnis: 2, warmUp: { batch: 10, interval: 60_000 } },
      idle: { after: 600_000, interval: 0, batch: Infinity, jitter: 0 },
      gc: { interval: 300_000, orphanTtl: 1_800_000 },
    })
  })

  test('a large cluster', () => {
    const { conf, warnings } = parseEniConf(`{
      "version": "1",
      "security_group": "sg-bp1xxx",
      "service_cidr": "172.16.0.0/16",
      "vswitches": {
        "cn-hangzhou-h": ["vsw-bp1xxx", "vsw-bp2xxx", "vsw-bp3xxx"],
        "cn-hangzhou-i": ["vsw-bp4xxx", "vsw-bp5xxx", "vsw-bp6xxx"]
      },
      
      // 大规模 IP 池配置
      "max_pool_size": 100,
      "min_pool_size": 50,
      
      // API 限流优化
      "rate_limit": {
        "eni_create_qps": 10,
        "eni_delete_qps": 10,
        "ip_assign_qps": 50,
        "ip_unassign_qps": 50,
        "burst_size": 20
      },
      
      // 批量操作优化
      "batch_config": {
        "enable": true,
        "batch_size": 20,
        "batch_interval_ms": 100
      },
      
      // 缓存配置
      "cache_config": {
        "eni_cache_ttl_seconds": 300,
        "ip_cache_ttl_seconds": 60,
        "vpc_cache_ttl_seconds": 600
      },
      
      // 高可用配置
      "ha_config": {
        "leader_election": true,
        "lease_duration_seconds": 15,
        "renew_deadline_seconds": 10,
        "retry_period_seconds": 2
      }
    }`)
    expect(warnings).toEqual([
      expect.stringMatching(/cache_config has no effect/),
      expect.stringMatching(/ha_config has no effect/),
    ])
    expect(conf.pool).toMatchObject({
      ...{ minPool: 50, maxPool: 100, batch: { addresses: 20, enis: Infinity, wait: 100 } },
    })
  })

  test('the back end of several addresses', () => {
    const { conf, warnings } = parseEniConf(`{
      "version": "1",
      "backend_type": "ENIMultiIP",
      "eniip_virtual_type": "Veth",
      "service_cidr": "172.16.0.0/12",
      "security_group_ids": ["sg-xxxxxxxx"],
      "vswitch_ids": ["vsw-xxxxxxxx"]
    }`)
    expect(warnings).toEqual([
      expect.stringMatching(/eniip_virtual_type has no effect: it is set in the CNI configuration/),
    ])
    expect(conf.pool.kind).toBe('shared')
    expect(conf).toMatchObject({ securityGroups: ['sg-xxxxxxxx'], vSwitchIds: ['vsw-xxxxxxxx'] })
  })

  test('ip_pool_config and eni_config', () => {
    const { conf, warnings } = parseEniConf(`{
      "version": "1",
      "ip_pool_config": {
        "min_pool_size": 10,
        "max_pool_size": 100,
        "pool_replenish_threshold": 30,
        "pool_depletion_threshold": 10
      },
      "eni_config": {
        "eni_pre_warm": true,
        "eni_gc_threshold": 5,
        "eni_max_allocate_retry": 3
      }
    }`)
    expect(warnings).toEqual([expect.stringMatching(/eni_config.eni_gc_threshold has no effect: max_pool_size/)])
    expect(conf.pool).toMatchObject({ minPool: 30, maxPool: 100, depletedAt: 10, minEnis: 1, attachTries: 3 })
  })

  test('ipam_config and eni_config', () => {
    const { conf, warnings } = parseEniConf(`{
      "version": "1",
      "backend_type": "ENIMultiIP",
      "eniip_virtual_type": "Veth",
      "ipam_config": {
        "max_pool_size": 50,
        "min_pool_size": 10,
        "pool_replenish_rate": 5,
        "ip_reclaim_timeout": "300s"
      },
      "eni_config": {
        "eni_pre_warm": true,
        "eni_gc_interval": "60s",
        "eni_allocate_batch": 3
      },
      "ebpf_config": {
        "enable_bpf": true,
        "bpf_policy_mode": "native"
      }
    }`)
    expect(warnings).toEqual([
      expect.stringMatching(/eniip_virtual_type has no effect/),
      expect.stringMatching(/ebpf_config has no effect/),
    ])
    expect(conf.pool).toMatchObject({
      ...{ minPool: 10, maxPool: 50, minEnis: 1, warmUp: { batch: 5, interval: 1000 } },
      ...{ batch: { enis: 3 }, gc: { interval: 60_000 }, idle: { after: 300_000, interval: 0, batch: Infinity } },
    })
  })

  test('a patch of the rate', () => {
    const { conf } = parseEniConf(
      '{"version":"1","backend_type":"ENIMultiIP","eniip_virtual_type":"Veth","ipam_config":{"max_pool_size":100,"pool_replenish_rate":10}}',
    )
    expect(conf.pool).toMatchObject({ minPool: 10, maxPool: 100, warmUp: { batch: 10, interval: 1000 } })
  })

  test.each([
    [
      `{
      "version": "1",
      "backend_type": "ENIMultiIP",
      "ebpf_config": {
        "enable_bpf": true,
        "bpf_policy_mode": "native",
        "bpf_map_size": 65536,
        "bpf_log_level": "info"
      }
    }`,
      ['ebpf_config'],
    ],
    [
      `{
      "version": "1",
      "backend_type": "ENIMultiIP",
      "zone_aware": true,
      "zone_config": {
        "cn-hangzhou-a": {
          "vswitch_ids": ["vsw-aaaa1", "vsw-aaaa2"],
          "security_group_ids": ["sg-aaaa"]
        },
        "cn-hangzhou-b": {
          "vswitch_ids": ["vsw-bbbb1", "vsw-bbbb2"],
          "security_group_ids": ["sg-bbbb"]
        }
      }
    }`,
      ['zone_aware', 'zone_config'],
    ],
    [
      `{
      "min_pool_size": 0,
      "enable_eni_trunking": true
    }`,
      ['enable_eni_trunking'],
    ],
  ])('%s, of which what has no effect is told', (text, without) => {
    expect(parseEniConf(text).warnings).toEqual(without.map((key) => expect.stringContaining(`${key} has no effect: `)))
  })
})

test.each([
  [
    'route',
    `{
      "version": "1",
      "max_pool_size": 5,
      "min_pool_size": 0,
      "vswitches": {
        "cn-hangzhou-h": ["vsw-bp1xxx"]
      },
      "security_group": "sg-bp1xxx",
      "service_cidr": "172.16.0.0/16",
      "network_mode": "VPC"
    }`,
  ],
  [
    'exclusive',
    `{
      "version": "1",
      "max_pool_size": 3,
      "min_pool_size": 1,
      "vswitches": {
        "cn-hangzhou-h": ["vsw-bp1xxx"]
      },
      "security_group": "sg-bp1xxx",
      "service_cidr": "172.16.0.0/16",
      "network_mode": "ENI"
    }`,
  ],
  [
    'member',
    `{
      "version": "1",
      "max_pool_size": 50,
      "min_pool_size": 20,
      "vswitches": {
        "cn-hangzhou-h": ["vsw-bp1xxx"]
      },
      "security_group": "sg-bp1xxx",
      "service_cidr": "172.16.0.0/16",
      "network_mode": "Trunk",
      "trunk_on": true,
      "eni_capability": {
        "trunk": true,
        "member_adapters": 200
      }
    }`,
  ],
  [
    'exclusive',
    `{
      "version": "1",
      "backend_type": "ENIExclusive",
      "eniip_virtual_type": "Veth",
      "eni_tags": {
        "k8s.aliyun.com/eni-owner": "terway"
      },
      "max_eni": 3,
      "max_ips_per_eni": 6
    }`,
  ],
  [
    'route',
    `{
      "version": "1",
      "backend_type": "VPCRoute",
      "eniip_virtual_type": "Veth",
      "service_cidr": "172.16.0.0/12",
      "vswitch_ids": ["vsw-xxxxxxxxx"],
      "security_group_ids": ["sg-xxxxxxxxx"],
      "route_table_id": "vtb-xxxxxxxxx"
    }`,
  ],
  [
    'route',
    `{
      "version": "1",
      "backend_type": "VPCRoute",
      "emergency_mode": true,
      "max_eni": 1,
      "eni_pre_warm": false
    }`,
  ],
])('of a node in the mode %s: %s', (kind, text) => {
  const { conf, warnings } = parseEniConf(text)
  expect(conf.route === undefined ? conf.pool.kind : 'route').toBe(kind)
  expect(warnings.filter((warning) => warning.includes('not known'))).toEqual([])
})
