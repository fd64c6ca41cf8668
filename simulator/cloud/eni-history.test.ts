import { expect, test } from '@jest/globals'
import { testActions } from '../../test/simulator/actions.ts'
import { NEW_ENI } from '../../test/simulator/new-eni.ts'
import { NO_LATENCY, testRegion } from '../../test/simulator/region.ts'
import type { InstanceId } from '../region/ids.ts'
import { KEPT } from './eni-history.ts'

const NODE_A = 'i-sim-a' as InstanceId

test('every moment is remembered as it was', () => {
  const { cloud, now, pass } = testActions(testRegion({ latencies: { ...NO_LATENCY, attach: 10, link: 5 } }))
  const start = now()
  const seen = (ago: number) => cloud.enisAt(start + ago).map((eni) => `${eni.type} ${eni.state.status}`)
  pass(10)
  const { id } = cloud.createEni(NEW_ENI)
  pass(10)
  cloud.attachEni(id, NODE_A)
  pass(50)
  const primaries = ['Primary InUse', 'Primary InUse']
  expect(seen(-1)).toEqual(primaries)
  expect(seen(9)).toEqual(primaries)
  expect(seen(10)).toEqual([...primaries, 'Secondary Available'])
  expect(seen(29)).toEqual([...primaries, 'Secondary Attaching'])
  expect(seen(30)).toEqual([...primaries, 'Secondary InUse'])
  expect(cloud.enisAt(now())).toEqual(cloud.enis())
})

test('an ENI that is gone is seen for as long as answers are late', () => {
  const { cloud, now, pass } = testActions(testRegion({ latencies: NO_LATENCY }))
  const { id } = cloud.createEni(NEW_ENI)
  pass(5)
  cloud.deleteEni(id)
  pass(0)
  const goneAt = now()
  expect([cloud.enisAt(goneAt).length, cloud.enisAt(goneAt - 1).length]).toEqual([2, 3])
})

test('what is older than the history looks like its start, and is forgotten', () => {
  const { cloud, now, pass } = testActions(testRegion({ latencies: NO_LATENCY }))
  const early = now()
  const { id } = cloud.createEni(NEW_ENI)
  for (let i = 0; i < 50; i++) {
    pass(KEPT / 20)
    cloud.modifyEni(id, { name: `n${i}` })
  }
  const [, , first] = cloud.enisAt(early)
  expect(first?.name).toBe('n29')
  expect(cloud.enisAt(now())).toEqual(cloud.enis())
  cloud.deleteEni(id)
  pass(KEPT + 1)
  expect(cloud.enisAt(now() - KEPT).map((eni) => eni.type)).toEqual(['Primary', 'Primary'])
})
