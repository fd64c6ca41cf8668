/** How urgently the cloud is asked for states, and what is told without asking. */
import { expect, test } from '@jest/globals'
import type { CloudEni } from '../../../cloud/ecs.ts'
import { type EniId, type InstanceId, parseCloudId } from '../../../cloud/ids.ts'
import type { CallOptions } from '../../../cloud/transport.ts'
import { VirtualTime } from '../../../test/pool/virtual-time.ts'
import { StateWatch, type StateWatchOptions, type WaitKind } from './state-watch.ts'

const HERE = parseCloudId<InstanceId>('i-sim-a')
const ID = parseCloudId<EniId>('eni-1')
const ENI: CloudEni = {
  ...{ id: ID, status: 'Available', type: 'Secondary', name: '', description: '', tags: new Map() },
  ...{ ips: [], ipv6s: [], ipv4Prefixes: [], ipv6Prefixes: [], securityGroupIds: [] },
}

function started() {
  const time = new VirtualTime()
  const asked: { ids: readonly string[]; priority: CallOptions['priority'] }[] = []
  const priority = () => 'prewarm' as const
  const describeEnis: StateWatchOptions['cloud']['describeEnis'] = async ({ ids = [] }, options) => {
    asked.push({ ids, priority: options?.priority })
    return ids.map((id) => ({ ...ENI, id, status: id === ID ? 'InUse' : 'Available' }))
  }
  const { signal } = new AbortController()
  const watch = new StateWatch({ cloud: { describeEnis }, instanceId: HERE, clock: time, signal, priority })
  const until = (id: string, kind: WaitKind) => watch.until(parseCloudId<EniId>(id), kind)
  return { time, watch, asked, priority, until }
}

test('one call looks at all, as urgently as the most urgent of them', async () => {
  const { time, asked, priority, until } = started()
  const waits = [until('eni-1', 'attach-member'), until('eni-2', 'detach')]
  await time.complete(Promise.all(waits), 10_000)
  expect(asked).toEqual([{ ids: ['eni-1', 'eni-2'], priority }])
})

test('looks at what is given back alone go last', async () => {
  const { time, asked, until } = started()
  await time.complete(until('eni-2', 'detach'), 10_000)
  expect(asked).toEqual([{ ids: ['eni-2'], priority: 'clean-up' }])
})

test('what an answer said is told once, and for two seconds', async () => {
  const { time, watch } = started()
  watch.saw(ENI)
  expect([watch.takeRecent(ID, 0), watch.takeRecent(ID, 0)]).toEqual([ENI, undefined])
  watch.saw(ENI)
  await time.run(2_001)
  expect(watch.takeRecent(ID, 0)).toBeUndefined()
})
