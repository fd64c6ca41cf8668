/** `terway-cli gc` on a running daemon: what it finds, what it does, and what it leaves alone. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { z } from 'zod'
import { type Cloud, createCloud } from '../../cloud/cloud.ts'
import { type EniId, type InstanceId, parseCloudId, type SecurityGroupId, type VSwitchId } from '../../cloud/ids.ts'
import { createTransport } from '../../cloud/transport.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { DIST } from '../cluster/directory.ts'
import type { Node } from '../cluster/node.ts'
import { check, until } from '../cluster/process.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import { startCluster } from './testbed.ts'

/** A suite of its own may run beside the others. */
const PREFIX = 'tw-e2e-gc'
const CLI = join(DIST, 'terway-cli')

const REPLY = z.object({
  findings: z.array(z.object({ kind: z.string(), eni: z.string(), outcome: z.string() })),
  enis: z.int(),
})

let cluster: Cluster
let node: Node
let cloud: Cloud

beforeAll(async () => {
  cluster = await startCluster({ prefix: PREFIX })
  node = cluster.node('node-a')
  await assertConsistent(cluster)
  const { host } = new URL(cluster.simApi)
  const transport = createTransport({
    ...{ endpoints: { ecs: host, vpc: host }, scheme: 'http', regionId: 'cn-sim' },
    credential: async () => ({ accessKeyId: 'LTAIsim', accessKeySecret: 'sim-secret' }),
  })
  cloud = createCloud(transport)
})

afterAll(async () => {
  await cluster?.stop()
})

/** As somebody who has the cluster's key would make it. */
async function makeEni(clientToken: string, tags: Readonly<Record<string, string>>): Promise<EniId> {
  const { id } = await cloud.createEni({
    ...{ vSwitchId: parseCloudId<VSwitchId>('vsw-sim-h'), securityGroupIds: [parseCloudId<SecurityGroupId>('sg-sim')] },
    ...{ secondaryIps: 0, tags, name: 'somebody', clientToken },
  })
  return id
}

async function statusOf(id: EniId): Promise<string> {
  return (await cloud.describeEnis({ ids: [id] }))[0]?.status ?? 'gone'
}

async function gc(...options: string[]) {
  return REPLY.parse(JSON.parse(await check([CLI, 'gc', '--json', '--socket', node.socket, ...options])))
}

test('an ENI of the node that nobody knows is told, and removed; one without its tags stays', async () => {
  const instanceId = parseCloudId<InstanceId>(node.instanceId)
  const orphan = await makeEni('orphan', { creator: 'terway', 'terway.node': instanceId })
  const stranger = await makeEni('stranger', { 'terway.node': instanceId })
  await cloud.attachEni(stranger, instanceId)
  const attached = async () => ((await statusOf(stranger)) === 'InUse' ? true : undefined)
  await until(attached, { what: 'the other ENI to be attached' })
  const enis = (await node.show()).enis.length
  const foreign = { kind: 'foreign', eni: stranger, outcome: 'none' }

  expect(await gc('--dry-run')).toEqual({
    findings: expect.arrayContaining([{ kind: 'suspected', eni: orphan, outcome: 'later' }, foreign]),
    enis,
  })
  expect((await gc('--dry-run', '--force')).findings).toEqual(
    expect.arrayContaining([{ kind: 'released', eni: orphan, outcome: 'would' }, foreign]),
  )
  expect(await statusOf(orphan)).toBe('Available')

  expect((await gc('--force')).findings).toEqual(
    expect.arrayContaining([{ kind: 'released', eni: orphan, outcome: 'done' }, foreign]),
  )
  const gone = async () => ((await statusOf(orphan)) === 'gone' ? true : undefined)
  await until(gone, { what: 'the orphan to be deleted' })
  expect(await statusOf(stranger)).toBe('InUse')
  await assertConsistent(cluster)
})
