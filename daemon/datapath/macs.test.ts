import { expect, test } from '@jest/globals'
import { parseLinkName } from '../../inet/link-name.ts'
import { podMacs } from './macs.ts'

test('MAC addresses are fixed by container and interface, unicast and locally administered', () => {
  expect(podMacs('c1', parseLinkName('eth0'))).toEqual({ host: 'a2:1f:d2:d3:5f:7c', pod: 'ea:93:8c:71:71:ad' })
  const all = ['c1', 'c2'].flatMap((id) =>
    ['eth0', 'eth1'].flatMap((name) => Object.values(podMacs(id, parseLinkName(name)))),
  )
  expect(new Set(all).size).toBe(8)
  for (const mac of all) expect(Number.parseInt(mac.slice(0, 2), 16) & 0x03).toBe(0x02)
})
