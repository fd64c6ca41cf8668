/** What IPVlan pods share on their ENI, from the first one's ADD to the last one's DEL. */
import { afterEach, expect, test } from '@jest/globals'
import { cidrs } from '../../test/datapath/attachments.ts'
import { ipJson, run } from '../../test/kernel/namespaces.ts'
import { PodsUnderTest } from '../../test/kernel/pods-under-test.ts'

const SERVICES = '172.16.0.0/16'
const NODE_LOCAL = '169.254.20.10/32'

let node: PodsUnderTest
afterEach(() => node.end())

/** Destinations whose packets turn back into the stack of the node. */
function turnedBack(): string[] {
  const text = run(node.netns, 'tc', '-p', 'filter', 'show', 'dev', 'eth1', 'egress')
  return [...text.matchAll(/match IP dst (\S+)/g)].map(([, cidr = '']) => cidr).sort()
}

test('Q6: filters go with the pod that asked for them, the others and the node’s slave with the last one', async () => {
  node = new PodsUnderTest('tw-ipvlan-')
  await node.start({ serviceCidrs: cidrs(SERVICES) })
  const [a, b] = [node.namespaces.create('a'), node.namespaces.create('b')]
  const conf = { eniip_virtual_type: 'IPVlan' }
  const links = () => ipJson(node.netns, 'link').map(({ ifname }) => ifname)
  const before = links()
  await node.add({ netns: a.path, conf: { ...conf, host_stack_cidrs: [NODE_LOCAL] } })
  await node.add({ containerId: 'c2', pod: 'other', netns: b.path, conf })
  expect(turnedBack()).toEqual([NODE_LOCAL, SERVICES])
  await node.del({})
  await node.context.removals.settled()
  expect(turnedBack()).toEqual([SERVICES])
  await node.check({ containerId: 'c2', netns: b.path })
  await node.del({ containerId: 'c2' })
  await node.context.removals.settled()
  expect(turnedBack()).toEqual([])
  expect(links()).toEqual(before)
})
