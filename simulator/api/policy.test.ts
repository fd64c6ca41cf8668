import { expect, test } from '@jest/globals'
import { denialOf } from './policy.ts'

test.each([
  [['*'], [], 'ecs:DescribeInstances', undefined],
  [['ecs:*'], [], 'ecs:DescribeInstances', undefined],
  [['ecs:*'], [], 'vpc:DescribeVSwitches', 'ImplicitDeny'],
  [['ecs:Describe*'], [], 'ecs:DescribeInstances', undefined],
  [['ecs:Describe*'], [], 'ecs:DeleteNetworkInterface', 'ImplicitDeny'],
  [['ecs:DescribeInstances'], [], 'ecs:DescribeInstanceTypes', 'ImplicitDeny'],
  [['ecs:DescribeInstance'], [], 'ecs:DescribeInstances', 'ImplicitDeny'],
  [['*'], ['ecs:UntagResources'], 'ecs:UntagResources', 'ExplicitDeny'],
  [['ecs:UntagResources'], ['*'], 'ecs:UntagResources', 'ExplicitDeny'],
  [[], [], 'ecs:DescribeInstances', 'ImplicitDeny'],
] as const)('allow %j, deny %j: %s is %s', (allow, deny, action, denial) => {
  expect(denialOf({ allow, deny }, action)).toBe(denial)
})
