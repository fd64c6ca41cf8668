import { expect, test } from '@jest/globals'
import { parseCidr, parseIp, parseMac } from '../inet/address.ts'
import { parseLinkName } from '../inet/link-name.ts'
import { networkPlan } from './plan.ts'
import { resolveDevices } from './plan-devices.ts'

const ETH0 = parseLinkName('eth0')
const mac = parseMac('02:00:00:00:00:01')
const moved = { netns: 'pod', name: ETH0, ifindex: 7001 } as const
const real = { ...moved, ifindex: 3 }
/** On the host, with the same name. */
const other = { netns: 'host', name: ETH0, ifindex: 2 } as const
const home = { name: parseLinkName('eth1'), ifindex: 60 }
const ip = parseIp('10.0.0.7')

const planOn = (device: typeof moved | typeof real) =>
  networkPlan({
    links: [
      { kind: 'moved', ...device, mac, mtu: 1500, home },
      { kind: 'existing', ...other },
    ],
    addresses: [
      { device, address: ip, prefixLength: 32, scope: 'global' },
      { device: other, address: ip, prefixLength: 32, scope: 'link' },
    ],
    neighbours: [{ device, address: ip, mac }],
    routes: [{ device, destination: parseCidr('0.0.0.0/0'), table: 254, scope: 'global' }],
    qdiscs: [{ kind: 'clsact', device }],
    filters: [
      {
        ...{ device: other, direction: 'ingress', priority: 1, protocol: 'all' },
        actions: [{ kind: 'vlan-pop' }, { kind: 'redirect', to: device, direction: 'ingress' }],
      },
    ],
  })

test('everything on a link that moved gets the index it has in the pod, and nothing else', () => {
  expect(resolveDevices(planOn(moved), new Map([[ETH0, 3]]))).toEqual(planOn(real))
})

test.each([
  ['has the index of the plan', new Map([[ETH0, 7001]])],
  ['is not there', new Map()],
])('a plan whose link %s is left as it is', (_, indexes) => {
  const plan = planOn(moved)
  expect(resolveDevices(plan, indexes)).toBe(plan)
})
