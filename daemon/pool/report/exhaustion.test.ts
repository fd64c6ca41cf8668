import { expect, test } from '@jest/globals'
import { CloudError } from '../../../cloud/error.ts'
import { parseCloudId, type VSwitchId } from '../../../cloud/ids.ts'
import { type PoolLimits, poolLimits } from '../settings.ts'
import { shortageOf, shortageText } from './exhaustion.ts'

const LIMITS = poolLimits({ maxEnis: 7, addressesPerEni: 30, minFree: 0, maxFree: 10 })

const full = (limits: Partial<PoolLimits> = {}, foreignEnis = 0) =>
  shortageOf({ kind: 'full', limits: { ...LIMITS, ...limits }, foreignEnis })

test.each<[Partial<PoolLimits>, string]>([
  [{}, 'all 210 pod addresses of this node are in use (7 ENIs with 30 each)'],
  [
    { unit: 'prefix' },
    'all 3255 pod addresses of this node are in use (7 ENIs with a primary address and 29 prefixes of 16 each)',
  ],
  [{ kind: 'exclusive' }, 'all 7 ENIs that this node has for pods are in use'],
  [{ kind: 'member' }, 'all 7 member ENIs that the trunk of this node can carry are in use'],
])('a node that is full by %j says what of', (limits, limit) => {
  expect(full(limits)).toMatchObject({ resource: 'instance', limit })
})

test('what a full node needs depends on what it gives', () => {
  expect(full().advice).toBe(
    'move pods to another node, raise max_eni where the configuration lowers it, ' +
      'or use an instance type with more ENIs or addresses',
  )
  expect(full({ kind: 'member' }).advice).toMatch(/more member ENIs$/)
})

test('ENIs of others that take places are named', () => {
  expect(full({}, 2)).toMatchObject({
    limit: expect.stringMatching(/; 2 more of this instance are not of this pool$/),
    advice: expect.stringMatching(/^detach ENIs that nobody needs, /),
  })
})

test('empty vSwitches are named', () => {
  const empty = ['vsw-a', 'vsw-b'].map((id) => parseCloudId<VSwitchId>(id))
  const shortage = shortageOf({ kind: 'no-vswitch', empty })
  expect(shortage.resource).toBe('vswitch')
  expect(shortageText(shortage)).toBe(
    'no free address in vsw-a, vsw-b; add a vSwitch of the zone that has free addresses to vswitches',
  )
  expect(shortageOf({ kind: 'no-vswitch', empty: [] }).limit).toMatch(/no vSwitch of the configuration is in the zone/)
})

test.each([
  ['EniPerInstanceLimitExceeded', 'instance'],
  ['InvalidOperation.Ipv4CountExceeded', 'eni'],
  ['MaxEniIpv6IpsCountExceeded', 'eni'],
  ['InvalidVSwitchId.IpNotEnough', 'vswitch'],
  ['SecurityGroupInstanceLimitExceed', 'security-group'],
  ['QuotaExceeded.PrivateIpAddress', 'quota'],
  ['MaxEniCountExceeded', 'quota'],
  ['Forbidden.RAM', 'permission'],
  ['InvalidAccessKeyId.NotFound', 'credential'],
  ['Throttling.User', 'api'],
  ['Network', 'api'],
  ['Client', 'node'],
  ['InvalidParameter', 'cloud'],
] as const)('a call refused with %s is short of: %s', (code, resource) => {
  const error = new CloudError('refused', { action: 'CreateNetworkInterface', code, requestId: 'R-1' })
  expect(shortageOf({ kind: 'refused', error })).toEqual({
    ...{ resource, key: code, advice: error.advice },
    limit: `CreateNetworkInterface failed with ${code}: refused (RequestId R-1)`,
  })
})

test('what is no error of the cloud is one of this machine', () => {
  const shortage = shortageOf({ kind: 'refused', error: new Error('no link with 02:00:00:00:00:01') })
  expect(shortage).toMatchObject({ resource: 'node', limit: 'no link with 02:00:00:00:00:01' })
  expect(shortageOf({ kind: 'refused', error: 'odd' }).limit).toBe('odd')
})
