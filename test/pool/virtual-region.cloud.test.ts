/** The virtual region is no other than the one behind HTTP: the same calls end the same through the real SDK. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Cloud } from '../../cloud/cloud.ts'
import { CloudError } from '../../cloud/error.ts'
import { type EniId, type InstanceId, parseCloudId, type SecurityGroupId, type VSwitchId } from '../../cloud/ids.ts'
import { type FaultRequest, RegionUnderTest } from '../cloud/region-under-test.ts'
import { NO_LATENCY, testRegion } from '../simulator/region.ts'
import { VirtualRegion } from './virtual-region.ts'
import { VirtualTime } from './virtual-time.ts'

const REGION = testRegion({ latencies: NO_LATENCY })
const INSTANCE = parseCloudId<InstanceId>('i-sim-a')
const HOME = parseCloudId<VSwitchId>('vsw-sim-h')
const NOBODY = parseCloudId<EniId>('eni-sim99999999')

let real: RegionUnderTest
let time: VirtualTime
let virtual: VirtualRegion

beforeEach(async () => {
  real = await RegionUnderTest.start(REGION)
  time = new VirtualTime()
  virtual = new VirtualRegion({ region: REGION, time })
})
afterEach(() => real.stop())

async function outcome(work: Promise<unknown>): Promise<unknown> {
  try {
    return { answer: JSON.parse(JSON.stringify(await work, undated)) }
  } catch (error) {
    if (!(error instanceof CloudError)) throw error
    const { action, code, kind, httpStatus, retryAfter, advice, requestId, message } = error
    const known = { action, code, kind, httpStatus, retryAfter, advice, hasRequestId: requestId !== undefined }
    return { ...known, message: requestId === undefined ? message : message.replaceAll(requestId, 'REQUEST') }
  }
}

/** The clocks of the two are not the same. */
function undated(name: string, value: unknown): unknown {
  return name === 'createdAt' ? 'a date' : value instanceof Map ? [...value] : value
}

/** Both ways; through HTTP the call may take long enough for one attempt. */
async function both(call: (cloud: Cloud) => Promise<unknown>) {
  const client = real.client({ attemptTimeout: 500, callTimeout: 700 })
  const through = await outcome(call(client.cloud))
  const inProcess = await time.complete(outcome(call(virtual.client(time.process()))), 60_000)
  return { through, inProcess }
}

const create = (cloud: Cloud) => {
  const securityGroupIds = [parseCloudId<SecurityGroupId>('sg-sim')]
  return cloud.createEni({
    vSwitchId: HOME,
    securityGroupIds,
    tags: { creator: 'terway' },
    secondaryIps: 2,
    clientToken: 't',
  })
}

test.each<[string, (cloud: Cloud) => Promise<unknown>]>([
  ['the ENIs of an instance', (cloud) => cloud.describeEnis({ instanceId: INSTANCE })],
  ['an instance', (cloud) => cloud.describeInstances({ ids: [INSTANCE] })],
  ['a vSwitch', (cloud) => cloud.describeVSwitch(HOME)],
  ['an ENI that does not exist', (cloud) => cloud.assignIps(NOBODY, 1, 'token')],
  ['a token that cannot be one', (cloud) => cloud.assignIps(NOBODY, 1, 't'.repeat(65))],
  ['what the simulator does not know', (cloud) => cloud.attachEni(NOBODY, INSTANCE, { networkCard: 1 })],
])('%s', async (_, call) => {
  const { through, inProcess } = await both(call)
  expect(inProcess).toEqual(through)
})

test('a created ENI', async () => {
  const { through, inProcess } = await both(create)
  expect(inProcess).toMatchObject({ answer: { status: 'Available' } })
  expect(inProcess).toEqual(through)
})

describe('a fault', () => {
  test.each<[string, FaultRequest['effect']]>([
    ['an error', { error: 'InternalError' }],
    ['an error that names a time', { error: 'OperationConflict', retryAfter: 300 }],
    ['throttled', { error: 'Throttling.User', retryAfter: 300 }],
    ['a reset', { reset: 'before' }],
    ["a proxy's page", { answer: 'html', status: 502 }],
    ['half an answer', { answer: 'truncated' }],
    ['an empty id', { answer: 'empty-id' }],
  ])('%s', async (_, effect) => {
    const fault = { select: { action: 'CreateNetworkInterface' }, effect }
    await real.fault(fault)
    virtual.fault(fault)
    const { through, inProcess } = await both(create)
    expect(inProcess).toHaveProperty('code')
    expect(inProcess).toEqual(through)
  })
})
