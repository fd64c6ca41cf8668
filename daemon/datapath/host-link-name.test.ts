import { expect, test } from '@jest/globals'
import { parseLinkName } from '../../inet/link-name.ts'
import { hostLinkName } from './host-link-name.ts'

/** The names that tools of Terway and Calico look for. */
test.each([
  ['default', 'client-b6989bf87-2bgtc', 'eth0', 'calic95a4947e07'],
  ['default', 'test-pod', 'eth0', 'cali7fba7a35b74'],
  ['default', 'test-pod', 'eth1', 'cali01035d7d18e'],
  ['kube-system', 'test-pod', 'eth0', 'calic6e26ff262b'],
])('the host link of %s/%s %s is %s', (namespace, pod, ifname, link) => {
  expect(hostLinkName(namespace, pod, parseLinkName(ifname))).toBe(link)
})
