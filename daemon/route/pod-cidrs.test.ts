import { expect, test } from '@jest/globals'
import { type Family, parseCidr } from '../../inet/address.ts'
import { podCidrs } from './pod-cidrs.ts'

const DUAL: readonly Family[] = ['ipv4', 'ipv6']

test('one prefix of each family, in the order of the families', () => {
  const cidrs = ['fd00:0:0:1::/64', '172.20.1.0/24'].map(parseCidr)
  expect(podCidrs(cidrs, DUAL)).toEqual(['172.20.1.0/24', 'fd00:0:0:1::/64'])
})

test.each<[string[], readonly Family[], RegExp]>([
  [[], ['ipv4'], /no ipv4 prefix.*set pod_cidr/],
  [['172.20.1.0/24'], DUAL, /no ipv6 prefix/],
  [['172.20.1.0/24', 'fd00::/64'], ['ipv4'], /no ipv6 addresses.*fd00::\/64.*ip_stack/],
  [['172.20.1.0/24', '172.20.2.0/24'], ['ipv4'], /more than one ipv4 prefix.*172\.20\.1\.0\/24, 172\.20\.2\.0\/24/],
  [['172.20.1.0/31'], ['ipv4'], /172\.20\.1\.0\/31 has no address for a pod/],
])('%j for %j is refused', (cidrs, families, words) => {
  expect(() => podCidrs(cidrs.map(parseCidr), families)).toThrow(words)
})
