/** The comparison with what the API really answers, after the journal was lost. */
import { expect, test } from '@jest/globals'
import type { CreateEni } from '../../../cloud/ecs.ts'
import { type EniId, type InstanceId, parseCloudId, type SecurityGroupId, type VSwitchId } from '../../../cloud/ids.ts'
import { parseCidr } from '../../../inet/address.ts'
import { VirtualRegion } from '../../../test/pool/virtual-region.ts'
import { VirtualTime } from '../../../test/pool/virtual-time.ts'
import { DUAL_STACK } from '../../../test/simulator/dual-stack.ts'
import { testRegion } from '../../../test/simulator/region.ts'
import type { EniKey } from '../model.ts'
import { reconcile } from '../reconcile.ts'
import { PoolTables } from '../tables.ts'
import { NO_SUSPICIONS } from './world.ts'
import { commit, worldOf } from './world-under-test.ts'

const HERE = parseCloudId<InstanceId>('i-sim-a')
const VSWITCH = parseCloudId<VSwitchId>('vsw-sim-h')
const OURS = { creator: 'terway', 'terway.node': HERE }
const MINUTE = 60_000

const time = new VirtualTime()
const region = new VirtualRegion({ region: testRegion({ ...DUAL_STACK, latencies: {} }), time })
const cloud = region.client(time.process())
const done = <T>(work: Promise<T>) => time.complete(work, MINUTE)

async function attached(clientToken: string, request: Partial<CreateEni>, trunk?: EniId): Promise<EniId> {
  const securityGroupIds = [parseCloudId<SecurityGroupId>('sg-sim')]
  const { id } = await done(
    cloud.createEni({ vSwitchId: VSWITCH, securityGroupIds, clientToken, tags: OURS, ...request }),
  )
  await done(cloud.attachEni(id, HERE, trunk === undefined ? {} : { trunk }))
  await time.run(MINUTE)
  return id
}

test('every ENI of this node is on record as the cloud has it, and one that is not ours is not', async () => {
  const trunk = await attached('t', { type: 'Trunk' })
  const member = await attached('m', { ipv6s: 1 }, trunk)
  const shared = await attached('s', { secondaryIps: 2, ipv6s: 1, ipv4Prefixes: 1 })
  const foreign = await attached('f', { tags: { creator: 'somebody' } })
  const found = await done(cloud.describeEnis({ instanceId: HERE }))

  const state = new PoolTables()
  const ownership = { ...worldOf().ownership, instanceId: HERE }
  const cidrs = new Map([[VSWITCH, parseCidr('10.0.1.0/24')]])
  const world = worldOf({ state, cloud: found, ownership, cidrs, kind: 'member', fresh: true })
  const first = reconcile(world)
  commit(state, first)
  const vlanId = found.find(({ id }) => id === member)?.vlanId
  expect(vlanId).toBeGreaterThan(0)
  expect([...state.enis.values()]).toMatchObject([
    { id: trunk, role: 'trunk', phase: 'attaching' },
    { id: member, role: 'member', phase: 'attaching', vlanId },
    { id: shared, role: 'shared', phase: 'attaching' },
  ])
  expect(first.foreign).toMatchObject([{ id: foreign, type: 'Secondary' }])
  const listed = found.filter(({ id, type }) => id !== foreign && type !== 'Primary')
  const singles = listed.flatMap(({ ips, ipv6s }) => [...ips, ...ipv6s])
  const [ofPrefixes, alone] = [true, false].map((inPrefix) =>
    [...state.addresses.values()].filter(({ prefix }) => (prefix !== undefined) === inPrefix),
  )
  expect(alone?.map(({ ip }) => ip).sort()).toEqual(singles.sort())
  expect(ofPrefixes).toHaveLength(16)

  for (const eni of [...state.enis.values()]) {
    if (eni.phase === 'attaching') commit(state, { changes: [{ kind: 'put-eni', eni: { ...eni, phase: 'in-use' } }] })
  }
  const { changes } = reconcile({ ...world, fresh: false, suspicions: NO_SUSPICIONS })
  const leftover = [...state.enis.values()].find((eni) => eni.phase !== 'creating' && eni.id === shared)
  expect(changes).toMatchObject([{ kind: 'put-eni', eni: { key: leftover?.key ?? ('' as EniKey), phase: 'draining' } }])
})
