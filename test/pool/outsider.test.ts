import { expect, test } from '@jest/globals'
import type { Eni } from '../../simulator/cloud/eni.ts'
import type { InstanceId, SecurityGroupId, VSwitchId } from '../../simulator/region/ids.ts'
import { testRegion } from '../simulator/region.ts'
import { Outsider } from './outsider.ts'
import { VirtualRegion } from './virtual-region.ts'
import { VirtualTime } from './virtual-time.ts'

const REGION = testRegion()
const NONE = { ips: [], ipCount: 0, prefixes: [], prefixCount: 0 }

/** An ENI in use with two secondary addresses. */
async function started() {
  const time = new VirtualTime()
  const region = new VirtualRegion({ region: REGION, time })
  const { id } = region.change((cloud) => {
    const eni = cloud.createEni({
      ...{ vSwitchId: 'vsw-sim-h' as VSwitchId, securityGroupIds: ['sg-sim' as SecurityGroupId] },
      ...{ type: 'Secondary', primaryIp: undefined, ipv4: { ...NONE, ipCount: 2 }, ipv6: NONE },
      ...{ name: '', description: '', resourceGroupId: '', tags: new Map(), deleteOnRelease: true },
      ...{ sourceDestCheck: false, trafficMode: 'Standard', queueNumber: undefined },
    })
    cloud.attachEni(eni.id, 'i-sim-a' as InstanceId)
    return eni
  })
  const eni = (): Eni | undefined => region.cloud.enis().find((other) => other.id === id)
  return { time, region, id, eni, outsider: new Outsider(region, time) }
}

test('leaves an ENI alone that is on its way', async () => {
  const { id, eni, outsider } = await started()
  const [ip] = eni()?.secondaryIps ?? []
  if (ip === undefined) throw new Error('the ENI has no address')
  expect([outsider.detach(id), outsider.delete(id), outsider.unassign(id, ip)]).toEqual([false, false, false])
  expect(eni()?.state.status).toBe('Attaching')
})

test('takes an address, an ENI from its instance, and an ENI', async () => {
  const { time, id, eni, outsider } = await started()
  await time.run(REGION.latencies.attach)
  const [one, two] = eni()?.secondaryIps ?? []
  if (one === undefined || two === undefined) throw new Error('the ENI has no addresses')
  expect([outsider.unassign(id, one), outsider.unassign(id, one)]).toEqual([true, false])
  expect(eni()?.secondaryIps).toEqual([two])
  expect(outsider.detach(id)).toBe(true)
  await time.run(REGION.latencies.detach)
  expect(eni()?.state.status).toBe('Available')
  expect(outsider.delete(id)).toBe(true)
  await time.run(REGION.latencies.delete)
  expect(eni()).toBeUndefined()
})

test('deletes an ENI in use as soon as it is detached', async () => {
  const { time, id, eni, outsider } = await started()
  await time.run(REGION.latencies.attach)
  expect(outsider.delete(id)).toBe(true)
  await time.run(REGION.latencies.detach + REGION.latencies.delete)
  expect(eni()).toBeUndefined()
})

test('gives up an ENI whose detach hangs', async () => {
  const { time, region, id, eni, outsider } = await started()
  await time.run(REGION.latencies.attach)
  region.fault({ effect: { detach: 'hang' } })
  expect(outsider.delete(id)).toBe(true)
  await time.run(60_000)
  expect(eni()?.state.status).toBe('Detaching')
})
