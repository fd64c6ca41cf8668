/** What an ADD and a DEL say to the kernel and to the journal, with one pod on the node and with 250. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { CrowdedNode } from '../scale/crowded-node.ts'
import { NetlinkTraffic } from '../scale/netlink-traffic.ts'
import { type Figures, within } from './figures.ts'
import { JournalTraffic } from './journal-traffic.ts'
import { unlikeRecord } from './recorded.ts'

const PODS = 250

let node: CrowdedNode
beforeAll(async () => {
  node = await CrowdedNode.start({ prefix: 'tw-guard-crowd-', room: PODS + 8 })
})
afterAll(() => node?.[Symbol.asyncDispose]())

/** Of one more pod, until nothing of it is left. */
async function saidFor(pod: number): Promise<Readonly<Record<'ADD' | 'DEL', Figures>>> {
  node.sandbox(pod)
  using kernel = new NetlinkTraffic()
  using journal = new JournalTraffic()
  // Both count transactions.
  const said = () => ({ ...within('netlink', { ...kernel.take() }), ...within('journal', journal.take()) })
  await node.add(pod)
  const add = said()
  await node.del(pod)
  await node.node.context.removals.settled()
  return { ADD: add, DEL: said() }
}

test('as much as is on record, and as much in a crowd; no list is read', async () => {
  // The first pod makes what all of them share.
  await node.fill(0, 1)
  const alone = await saidFor(1)
  expect([alone.ADD['netlink.dumps'], alone.DEL['netlink.dumps']]).toEqual([0, 0])
  await node.fill(1, PODS)
  expect(await saidFor(PODS)).toEqual(alone)
  expect([...unlikeRecord('pod.ADD', alone.ADD), ...unlikeRecord('pod.DEL', alone.DEL)]).toEqual([])
})
