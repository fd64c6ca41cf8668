import { expect, test } from '@jest/globals'
import { parseLinkName } from '../../inet/link-name.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { Endpoints } from './endpoints.ts'

const JOURNAL = { putEndpoint: () => undefined, dropEndpoint: () => undefined }
const LINK = parseLinkName('cali1')

function endpoint(containerId: string, ifname: string, more: Partial<Endpoint> = {}): Endpoint {
  return {
    ...{ containerId, ifname: parseLinkName(ifname), phase: 'adding', network: 'terway', namespace: 'default' },
    ...{ pod: 'web', netns: '/run/netns/p', netnsId: '4:5', since: 1, ...more },
  }
}

const idsOf = (endpoints: readonly Endpoint[]) => endpoints.map((one) => `${one.containerId}/${one.ifname}`)

test('are found by container, pod and link on the node, those of the record too', () => {
  const recorded = [endpoint('a', 'eth0', { hostLink: LINK }), endpoint('a', 'net1')]
  const endpoints = new Endpoints(JOURNAL, recorded)
  endpoints.put(endpoint('b', 'eth0'))
  endpoints.put(endpoint('c', 'eth0', { namespace: 'other' }))
  expect(idsOf(endpoints.ofContainer('a'))).toEqual(['a/eth0', 'a/net1'])
  expect(idsOf(endpoints.ofPod('default', 'web'))).toEqual(['a/eth0', 'a/net1', 'b/eth0'])
  expect(idsOf(endpoints.ofHostLink(LINK))).toEqual(['a/eth0'])
  expect([endpoints.ofContainer('d'), endpoints.ofPod('default', 'db')]).toEqual([[], []])
})

test('one that is put again is found as it is now, at its place, by a link that it has got since', () => {
  const endpoints = new Endpoints(JOURNAL, [])
  for (const ifname of ['eth0', 'net1']) endpoints.put(endpoint('a', ifname))
  endpoints.put(endpoint('a', 'eth0', { hostLink: LINK, phase: 'ready' }))
  expect(endpoints.ofContainer('a').map(({ phase }) => phase)).toEqual(['ready', 'adding'])
  expect(idsOf(endpoints.ofHostLink(LINK))).toEqual(['a/eth0'])
})

test('one that is dropped is found by nothing', () => {
  const endpoints = new Endpoints(JOURNAL, [endpoint('a', 'eth0', { hostLink: LINK })])
  endpoints.drop(endpoint('a', 'eth0'))
  endpoints.drop(endpoint('a', 'eth0'))
  expect([endpoints.all(), endpoints.ofContainer('a'), endpoints.ofHostLink(LINK)]).toEqual([[], [], []])
  expect(endpoints.ofPod('default', 'web')).toEqual([])
})
