import { expect, test } from '@jest/globals'
import { parseCidr, parseIp, parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { parseAttachment } from '../../proto/cni-environment.ts'
import { type AddResult, encodeResult } from './result.ts'

const { netns } = parseAttachment({ containerId: 'c1', netns: '/run/netns/x', ifname: 'eth0' })
const RESULT: AddResult = {
  interfaces: [
    { name: parseLinkName('cali123'), mac: parseMac('02:00:00:00:00:01'), mtu: 1500 },
    { name: parseLinkName('eth0'), mac: parseMac('02:00:00:00:00:02'), mtu: 1500, sandbox: netns },
  ],
  ips: [
    { address: parseIp('10.0.1.7'), prefixLength: 32, gateway: parseIp('169.254.1.1'), interface: 1 },
    { address: parseIp('fd00::7'), prefixLength: 128, interface: 1 },
  ],
  routes: [{ dst: parseCidr('0.0.0.0/0'), gw: parseIp('169.254.1.1') }, { dst: parseCidr('fd00::/64') }],
}

const ROUTES = '"routes":[{"dst":"0.0.0.0/0","gw":"169.254.1.1"},{"dst":"fd00::/64"}],"dns":{}'
const LINKS = [
  '"interfaces":[{"name":"cali123","mac":"02:00:00:00:00:01"},',
  '{"name":"eth0","mac":"02:00:00:00:00:02","sandbox":"/run/netns/x"}]',
].join('')
const LINKS_WITH_MTU = [
  '"interfaces":[{"name":"cali123","mac":"02:00:00:00:00:01","mtu":1500},',
  '{"name":"eth0","mac":"02:00:00:00:00:02","mtu":1500,"sandbox":"/run/netns/x"}]',
].join('')
const IPS = [
  '"ips":[{"interface":1,"address":"10.0.1.7/32","gateway":"169.254.1.1"},',
  '{"interface":1,"address":"fd00::7/128"}]',
].join('')
const IPS_WITH_VERSION = [
  '"ips":[{"version":"4","interface":1,"address":"10.0.1.7/32","gateway":"169.254.1.1"},',
  '{"version":"6","interface":1,"address":"fd00::7/128"}]',
].join('')

test.each([
  ['0.3.0', `{"cniVersion":"0.3.0",${LINKS},${IPS_WITH_VERSION},${ROUTES}}`],
  ['0.3.1', `{"cniVersion":"0.3.1",${LINKS},${IPS_WITH_VERSION},${ROUTES}}`],
  ['0.4.0', `{"cniVersion":"0.4.0",${LINKS},${IPS_WITH_VERSION},${ROUTES}}`],
  ['1.0.0', `{"cniVersion":"1.0.0",${LINKS},${IPS},${ROUTES}}`],
  ['1.1.0', `{"cniVersion":"1.1.0",${LINKS_WITH_MTU},${IPS},${ROUTES}}`],
] as const)('the result in version %s', (version, expected) => {
  expect(Buffer.from(encodeResult(RESULT, version)).toString()).toBe(expected)
})

test('DNS settings are passed on', () => {
  const dns = { nameservers: [parseIp('100.100.2.136')], search: ['svc.cluster.local'] }
  expect(Buffer.from(encodeResult({ interfaces: [], ips: [], routes: [], dns }, '1.0.0')).toString()).toBe(
    '{"cniVersion":"1.0.0","interfaces":[],"ips":[],"routes":[],' +
      '"dns":{"nameservers":["100.100.2.136"],"search":["svc.cluster.local"]}}',
  )
})
