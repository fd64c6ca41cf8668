import { expect, test } from '@jest/globals'
import { endpointsOf } from './cloud-access.ts'

test.each<[string, Record<string, string>, { ecs: string; vpc: string; scheme: string }]>([
  ['inside the VPC', {}, { ecs: 'ecs-vpc.cn-x.aliyuncs.com', vpc: 'vpc-vpc.cn-x.aliyuncs.com', scheme: 'https' }],
  [
    'outside of it',
    { ALICLOUD_ENDPOINT_TYPE: 'public' },
    { ecs: 'ecs.cn-x.aliyuncs.com', vpc: 'vpc.cn-x.aliyuncs.com', scheme: 'https' },
  ],
  [
    'hosts of the operator, as such or in a URL',
    { ECS_ENDPOINT: '127.0.0.1:80', VPC_ENDPOINT: 'https://vpc.example.com/x', ALICLOUD_CLIENT_SCHEME: 'HTTP' },
    { ecs: '127.0.0.1:80', vpc: 'vpc.example.com', scheme: 'http' },
  ],
  [
    'an empty variable is none',
    { ECS_ENDPOINT: '', ALICLOUD_CLIENT_SCHEME: '' },
    { ecs: 'ecs-vpc.cn-x.aliyuncs.com', vpc: 'vpc-vpc.cn-x.aliyuncs.com', scheme: 'https' },
  ],
])('%s', (_, env, { ecs, vpc, scheme }) => {
  expect(endpointsOf(env, 'cn-x')).toEqual({ endpoints: { ecs, vpc }, scheme })
})
