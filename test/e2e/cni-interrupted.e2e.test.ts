/** CNI calls that are cut off in the middle, or wait: on a node whose pool is dry while the cloud says nothing. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Cluster } from '../cluster/cluster.ts'
import type { CniAnswer, CniCall } from '../cluster/cni.ts'
import type { Node } from '../cluster/node.ts'
import { ping } from '../cluster/ping.ts'
import type { Pod } from '../cluster/pod.ts'
import { until } from '../cluster/process.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import { gone, startCluster } from './testbed.ts'

/** A suite of its own may run beside the others. */
const PREFIX = 'tw-e2e-cut'
/** One call of the plugin takes no longer, ms: what is cut off within it is cut off at any point. */
const CALL_TAKES = 180

let cluster: Cluster
let node: Node
let pods: Pod[] = []

beforeAll(async () => {
  // One address is kept ready.
  cluster = await startCluster({ prefix: PREFIX, eniConf: { min_pool_size: 1, max_pool_size: 1 } })
  node = cluster.node('node-a')
})

afterEach(async () => {
  cluster.resumeCloud()
  for (const pod of pods) await end(pod)
  pods = []
  await gone(node, [])
  await assertConsistent(cluster)
})

afterAll(async () => {
  cluster?.resumeCloud()
  await cluster?.stop()
})

async function create(name: string): Promise<Pod> {
  const pod = await cluster.createPod(node, name)
  pods.push(pod)
  return pod
}

async function end(pod: Pod): Promise<void> {
  await pod.del()
  await pod.destroy()
}

/** Pods that have every address of the node, which then gets no more. */
async function takeAllAddresses(): Promise<readonly [Pod, ...Pod[]]> {
  await assertConsistent(cluster)
  cluster.pauseCloud()
  const isSettled = async () => (await addresses('cooling', 'unassigning')) === 0
  await until(async () => ((await isSettled()) ? true : undefined), { what: 'the pool to settle' })
  const free = await addresses('warm')
  const names = Array.from({ length: free }, (_, i) => `has-one-${i}`)
  const [first, ...others] = await Promise.all(names.map(create))
  if (first === undefined) throw new RangeError('the pool is dry already')
  for (const pod of [first, ...others]) await pod.add()
  return [first, ...others]
}

async function addresses(...phases: string[]): Promise<number> {
  const all = (await node.show()).enis.flatMap((eni) => eni.addresses)
  return all.filter(({ phase }) => phases.includes(phase)).length
}

/** Resolves once so many pods are on record and no others. */
function remaining(count: number): Promise<true> {
  const isThere = async () => (await node.show()).endpoints.length === count
  return until(async () => ((await isThere()) ? true : undefined), { what: `${count} pods on record` })
}

/** Resolves once the ADD of the pod is on record and waits for an address. */
function waiting({ containerId }: Pod): Promise<true> {
  const isOnRecord = async () =>
    (await node.show()).endpoints.some(
      (endpoint) => endpoint.containerId === containerId && endpoint.phase === 'adding',
    )
  return until(async () => ((await isOnRecord()) ? true : undefined), { what: 'an ADD to begin' })
}

const status = (): Promise<CniAnswer> => {
  const nobody: CniCall = { containerId: '', netns: '', ifname: '', namespace: '', pod: '' }
  return node.cni('STATUS', { ...nobody, extra: { cniVersion: '1.1.0' } })
}

const succeeded = { status: 0, stdout: '' }

describe('while an ADD waits for an address', () => {
  test('STATUS succeeds: a dry pool is no reason to take the node out of service', async () => {
    await takeAllAddresses()
    const late = await create('late')
    const add = late.add()
    await waiting(late)
    expect(await status()).toMatchObject(succeeded)
    cluster.resumeCloud()
    await add
  })

  test('Q5: no other call of the node is held up, and it gets the address that comes free', async () => {
    const [first] = await takeAllAddresses()
    const late = await create('late')
    const add = late.add()
    await waiting(late)
    expect(await node.cni('CHECK', first.call)).toMatchObject(succeeded)
    expect(await node.cni('DEL', first.call)).toMatchObject(succeeded)
    await add
    expect(late.ip).toBe(first.ip)
    expect(await ping({ from: late.netnsPath, to: node.primaryIp })).toMatchObject({ lost: 0 })
  })

  test('a plugin that is killed is followed by DEL, and nothing is left', async () => {
    const holders = await takeAllAddresses()
    const late = await create('late')
    const add = node.cni('ADD', { ...late.call, killed: waiting(late) })
    expect(await add).toMatchObject({ status: null, stdout: '' })
    expect(await node.cni('DEL', late.call)).toMatchObject(succeeded)
    await remaining(holders.length)
    expect(await ping({ from: holders[0].netnsPath, to: node.primaryIp })).toMatchObject({ lost: 0 })
  })

  test('a daemon that dies fails it; after a DEL that fails too nobody calls again, and the next daemon cleans up', async () => {
    const holders = await takeAllAddresses()
    const late = await cluster.createPod(node, 'late')
    const add = node.cni('ADD', late.call)
    await waiting(late)
    await node.killDaemon('SIGKILL')
    expect(await add).toMatchObject({
      status: 1,
      error: { code: 11, msg: expect.stringMatching(/^daemon-unreachable/) },
    })
    expect(await node.cni('DEL', { ...late.call, extra: { spool_dir: '/etc/passwd/spool' } })).toMatchObject({
      status: 1,
      error: { code: 5, msg: expect.stringMatching(/^spool-failed: /) },
    })
    cluster.resumeCloud()
    node.startDaemon()
    await node.waitReady()
    await remaining(holders.length)
    await late.destroy()
  })

  test('a daemon that is told to end fails it, and its DEL is carried out by the next one', async () => {
    const holders = await takeAllAddresses()
    const late = await create('late')
    const add = node.cni('ADD', late.call)
    await waiting(late)
    await node.killDaemon('SIGTERM')
    expect(await add).toMatchObject({ status: 1, error: { code: 11 } })
    expect(await node.cni('DEL', late.call)).toMatchObject(succeeded)
    cluster.resumeCloud()
    node.startDaemon()
    await node.waitReady()
    await remaining(holders.length)
  })
})

test('a plugin that is killed at any moment of its ADD and followed by DEL leaves nothing', async () => {
  const answers: CniAnswer[] = []
  for (let after = 0; after < CALL_TAKES; after += 10) {
    const pod = await create(`killed-after-${after}`)
    answers.push(await node.cni('ADD', { ...pod.call, killed: sleep(after) }))
    expect(await node.cni('DEL', pod.call)).toMatchObject(succeeded)
  }
  expect(answers.some((answer) => answer.status === null)).toBe(true)
  await gone(node, [])
})

test('STATUS says that the daemon is away, and while it starts, until it serves', async () => {
  const away = {
    status: 1,
    error: expect.objectContaining({ code: 50, msg: expect.stringMatching(/^daemon-unreachable/) }),
  }
  await node.killDaemon('SIGKILL')
  expect(await status()).toMatchObject(away)
  node.startDaemon()
  const seen: CniAnswer[] = []
  for (;;) {
    const answer = await status()
    if (answer.status === 0) break
    seen.push(answer)
    if (seen.length > 200) break
  }
  expect(seen).toEqual(seen.map(() => expect.objectContaining(away)))
  await node.waitReady()
  expect(await status()).toMatchObject(succeeded)
})
