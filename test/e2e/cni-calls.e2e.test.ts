/** What runtimes are known to do with a plugin, besides what bad-input.e2e.test.ts has, on a node that is well. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Cluster } from '../cluster/cluster.ts'
import type { CniAnswer, CniCall } from '../cluster/cni.ts'
import { netnsPath } from '../cluster/directory.ts'
import { kernelState } from '../cluster/kernel-state.ts'
import type { Node } from '../cluster/node.ts'
import { ping } from '../cluster/ping.ts'
import type { Pod } from '../cluster/pod.ts'
import { until } from '../cluster/process.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import { gone, podTraces, startCluster } from './testbed.ts'

/** A suite of its own may run beside the others. */
const PREFIX = 'tw-e2e-cni'
const TWO_NODES = join(import.meta.dirname, '..', '..', 'conf', 'regions', 'two-nodes.yaml')
const CROWD = 50

let cluster: Cluster
let node: Node
let pods: Pod[] = []

beforeAll(async () => {
  // 8 ENIs of 30 addresses for the crowd.
  const region = `/dev/shm/${PREFIX}.yaml`
  writeFileSync(region, readFileSync(TWO_NODES, 'utf8').replaceAll('ecs.g7.xlarge', 'ecs.g7.4xlarge'))
  cluster = await startCluster({ prefix: PREFIX, region }).finally(() => rmSync(region))
  node = cluster.node('node-a')
})

afterEach(async () => {
  await Promise.all(
    pods.map(async (pod) => {
      await pod.del()
      await pod.destroy()
    }),
  )
  pods = []
  await gone(node, [])
  await assertConsistent(cluster)
})

afterAll(async () => {
  await cluster?.stop()
})

async function create(name: string): Promise<Pod> {
  const pod = await cluster.createPod(node, name)
  pods.push(pod)
  return pod
}

async function addPod(name: string): Promise<Pod> {
  const pod = await create(name)
  await pod.add()
  return pod
}

const containersOnRecord = async () => (await node.show()).endpoints.map(({ containerId }) => containerId).sort()
const idsOf = (list: readonly Pod[]) => list.map(({ containerId }) => containerId).sort()
const ownersOfAddresses = async () =>
  (await node.show()).enis.flatMap(({ addresses }) => addresses.filter(({ phase }) => phase === 'owned'))

const succeeded = { status: 0, stdout: '' }

describe('DEL', () => {
  test('with the result of an ADD whose namespace is no longer there', async () => {
    const pod = await addPod('rebooted')
    const missing = netnsPath(`${PREFIX}-missing`)
    const { result } = await node.cni('ADD', { ...pod.call, ifname: 'net1' })
    const prevResult = { ...result, interfaces: [{ name: 'net1', sandbox: missing }] }
    expect(await node.cni('DEL', { ...pod.call, ifname: 'net1', netns: missing, extra: { prevResult } })).toMatchObject(
      succeeded,
    )
    await until(async () => ((await node.show()).endpoints.length === 1 ? true : undefined), { what: 'net1 to go' })
    expect(await ping({ from: pod.netnsPath, to: node.primaryIp })).toMatchObject({ lost: 0 })
  })

  test('Q3: with an empty namespace gives the address back, not only at the next garbage collection', async () => {
    const pod = await addPod('no-netns')
    expect(await node.cni('DEL', { ...pod.call, netns: '' })).toMatchObject(succeeded)
    await gone(node, [pod.ip])
    expect(await ownersOfAddresses()).toEqual([])
  })

  test('Q4: with a namespace that has vanished succeeds and gives the address back', async () => {
    const pod = await cluster.createPod(node, 'vanished')
    await pod.add()
    await pod.destroy()
    expect(await node.cni('DEL', pod.call)).toMatchObject(succeeded)
    await gone(node, [pod.ip])
    expect(await ownersOfAddresses()).toEqual([])
  })
})

test.each(['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'])('ADD and DEL in version %s', async (cniVersion) => {
  const pod = await create('versions')
  const { stdout, result } = await node.cni('ADD', { ...pod.call, extra: { cniVersion } })
  const family = { version: '4' }
  const old = cniVersion.startsWith('0.')
  expect(JSON.parse(stdout)).toMatchObject({
    cniVersion,
    interfaces: [{ name: expect.stringMatching(/^cali/) }, { name: 'eth0', sandbox: pod.netnsPath }],
    ips: [{ ...(old ? family : {}), interface: 1 }],
  })
  expect(stdout.includes('"mtu"')).toBe(cniVersion === '1.1.0')
  expect(stdout.includes('"version"')).toBe(old)
  const extra = { cniVersion, prevResult: result }
  expect(await node.cni('DEL', { ...pod.call, extra })).toMatchObject(succeeded)
})

describe('GC', () => {
  const gc = (extra: object): Promise<CniAnswer> => {
    const nobody: CniCall = { containerId: '', netns: '', ifname: '', namespace: '', pod: '' }
    return node.cni('GC', { ...nobody, extra: { cniVersion: '1.1.0', ...extra } })
  }
  const keysOf = (list: readonly Pod[]) => list.map(({ containerId }) => ({ containerID: containerId, ifname: 'eth0' }))

  test('without a list of what to keep removes nothing', async () => {
    const pod = await addPod('kept')
    expect(await gc({})).toMatchObject({ status: 1, error: { code: 7 } })
    expect(await containersOnRecord()).toEqual(idsOf([pod]))
  })

  test.each(['cni.dev/valid-attachments', 'cni.dev/attachments'])('with %s removes what is not in it', async (key) => {
    const [kept] = [await addPod('kept'), await addPod('stale')]
    expect(await gc({ [key]: keysOf([kept]) })).toMatchObject(succeeded)
    expect(await containersOnRecord()).toEqual(idsOf([kept]))
    expect((await ownersOfAddresses()).map(({ ip }) => ip)).toEqual([kept.ip])
    expect(await ping({ from: kept.netnsPath, to: node.primaryIp })).toMatchObject({ lost: 0 })
  })

  test('in parallel with ADD takes nothing from the pods in its list', async () => {
    const before = await Promise.all([addPod('before-1'), addPod('before-2')])
    const added = await Promise.all([1, 2, 3, 4].map((i) => create(`meanwhile-${i}`)))
    const list = { 'cni.dev/valid-attachments': keysOf([...before, ...added]) }
    const [collected] = await Promise.all([
      Promise.all([1, 2, 3].map(() => gc(list))),
      ...added.map((pod) => pod.add()),
    ])
    expect(collected).toEqual(collected.map(() => expect.objectContaining(succeeded)))
    expect(await containersOnRecord()).toEqual(idsOf([...before, ...added]))
    const pings = [...before, ...added].map(({ netnsPath: from }) => ping({ from, to: node.primaryIp }))
    expect(await Promise.all(pings)).toEqual(pings.map(() => expect.objectContaining({ lost: 0 })))
  })

  test('in parallel with ADD of pods that are not in its list leaves each of them whole or gone', async () => {
    const added = await Promise.all([1, 2, 3, 4].map((i) => create(`contested-${i}`)))
    const adds = added.map((pod) => node.cni('ADD', pod.call))
    await Promise.all([1, 2, 3].map(() => gc({ 'cni.dev/valid-attachments': [] })))
    const answers = await Promise.all(adds)
    expect(answers.filter(({ result, error }) => result === undefined && error === undefined)).toEqual([])
    await assertConsistent(cluster)
  })

  test('Q22: removes every interface of a pod, not the first alone', async () => {
    const pod = await addPod('two-interfaces')
    const { result } = await node.cni('ADD', { ...pod.call, ifname: 'net1' })
    const second = result?.ips[0]?.address.replace(/\/.*/, '') ?? ''
    expect(podTraces(await kernelState(node.netnsPath), [second])).not.toEqual([])
    expect(await gc({ 'cni.dev/valid-attachments': [] })).toMatchObject(succeeded)
    await gone(node, [pod.ip, second])
    expect(await ownersOfAddresses()).toEqual([])
  })
})

test(`${CROWD} at once all succeed, each with an address of its own`, async () => {
  const crowd = await Promise.all(Array.from({ length: CROWD }, (_, i) => create(`crowd-${i}`)))
  await Promise.all(crowd.map((pod) => pod.add()))
  expect(new Set(crowd.map(({ ip }) => ip)).size).toBe(CROWD)
  const pings = await Promise.all(crowd.map(({ netnsPath: from }) => ping({ from, to: node.primaryIp })))
  expect(pings.filter(({ lost }) => lost > 0)).toEqual([])
})

test('after a reboot pods that have records and no namespaces are gone, and their late DEL succeeds', async () => {
  const lost = await cluster.createPod(node, 'before-reboot')
  await lost.add()
  await node.killDaemon('SIGKILL')
  await lost.destroy()
  node.startDaemon()
  await node.waitReady()
  await gone(node, [lost.ip])
  expect(await node.cni('DEL', { ...lost.call, netns: '' })).toMatchObject(succeeded)
})

describe('Q24: an ADD that cannot be put on record', () => {
  /** SQLite's own way to refuse a row: the daemon's next write of such a record fails like one on a full disk. */
  function refuse(phase: string): DatabaseSync {
    const journal = new DatabaseSync(join(node.stateDir, 'journal.db'))
    journal.exec(`CREATE TRIGGER refused BEFORE INSERT ON endpoints WHEN json_extract(NEW.record, '$.phase') = '${phase}'
      BEGIN SELECT RAISE(ABORT, 'no space left'); END`)
    return journal
  }

  test.each(['adding', 'ready'])('as %s fails, gives the address back and leaves nothing', async (phase) => {
    const pod = await create('unrecorded')
    const journal = refuse(phase)
    try {
      const answer = await node.cni('ADD', pod.call)
      expect(answer).toMatchObject({ status: 1, error: { msg: expect.stringContaining('no space left') } })
    } finally {
      journal.exec('DROP TRIGGER refused')
      journal.close()
    }
    await gone(node, [])
    expect(await ownersOfAddresses()).toEqual([])
    await pod.add()
    expect(await ping({ from: pod.netnsPath, to: node.primaryIp })).toMatchObject({ lost: 0 })
  })
})
