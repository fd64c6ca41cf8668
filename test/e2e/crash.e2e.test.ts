/** The daemon dies at random moments in the middle of its work; the runtime goes on as runtimes do. */
import { readFileSync, watch } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Cluster } from '../cluster/cluster.ts'
import type { Node } from '../cluster/node.ts'
import { ping } from '../cluster/ping.ts'
import type { Pod } from '../cluster/pod.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import { Random } from './random.ts'
import { gone, startCluster } from './testbed.ts'

const KILLS = 20
const CALLS_PER_KILL = 3
const MOST_PODS = 10
/** Three calls at once take about this long, most of it the start of the plugins, ms. */
const CALLS_TAKE = 350
/** What the daemon does for one call, and afterwards for the pool, takes about this long, ms. */
const WORK_TAKES = 20

const seed = Number(process.env.TERWAY_TEST_SEED ?? Date.now() % 1_000_000)

describe(`SIGKILL of the daemon at ${KILLS} random moments (TERWAY_TEST_SEED=${seed} repeats them)`, () => {
  const random = new Random(seed)
  const pods: Pod[] = []
  let cluster: Cluster
  let node: Node
  let made = 0

  beforeAll(async () => {
    cluster = await startCluster()
    node = cluster.node('node-a')
  })

  afterAll(async () => {
    await cluster?.stop()
  })

  /** As a runtime does it: after an ADD that failed comes a DEL, and the pod gets another sandbox later. */
  async function add(pod: Pod): Promise<void> {
    const { result } = await node.cni('ADD', pod.call)
    if (result !== undefined) {
      pods.push(pod)
      return
    }
    await del(pod)
  }

  /** Succeeds whatever state the daemon is in. */
  async function del(pod: Pod): Promise<void> {
    await pod.del()
    await pod.destroy()
  }

  /** Decides now and begins when it is called. */
  async function nextCall(): Promise<() => Promise<void>> {
    const mustAdd = pods.length < CALLS_PER_KILL
    if (mustAdd || (pods.length < MOST_PODS && random.next() < 0.5)) {
      made += 1
      const pod = await cluster.createPod(node, `pod-${made}`)
      return () => add(pod)
    }
    const [pod] = pods.splice(random.below(pods.length), 1)
    if (pod === undefined) throw new RangeError('no pod to delete')
    return () => del(pod)
  }

  /** Any moment from the start of the calls to their end; more often one soon after the daemon has begun to work. */
  async function moment(kill: number): Promise<void> {
    if (kill % 4 === 0) return await sleep(random.below(CALLS_TAKE))
    await journalWrite(node.stateDir)
    await sleep(random.below(WORK_TAKES))
  }

  test(`during ${KILLS * CALLS_PER_KILL} ADD and DEL`, async () => {
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const calls: (() => Promise<void>)[] = []
      for (let i = 0; i < CALLS_PER_KILL; i += 1) calls.push(await nextCall())
      const deadly = moment(kill)
      const settled = Promise.allSettled(calls.map((call) => call()))
      await deadly
      await node.killDaemon('SIGKILL')
      node.startDaemon()
      await node.waitReady()
      expect((await settled).filter(({ status }) => status === 'rejected')).toEqual([])
    }
    await assertConsistent(cluster)
    for (const pod of pods) expect(await ping({ from: pod.netnsPath, to: node.primaryIp })).toMatchObject({ lost: 0 })
    const { endpoints } = await node.show()
    const ready = endpoints.filter(({ phase }) => phase === 'ready').map(({ containerId }) => containerId)
    expect(ready.sort()).toEqual(pods.map(({ containerId }) => containerId).sort())
    // Otherwise it has shown nothing: the daemon was never in the middle of anything.
    expect(readFileSync(node.logFile, 'utf8')).toMatch(/its (ADD|removal) was interrupted/)
  })

  test('and when the last pod has gone, nothing is left', async () => {
    for (const pod of pods) await del(pod)
    await gone(node, [])
    await assertConsistent(cluster)
  })
})

/** Resolves when something in the directory is written, or after a second without. */
function journalWrite(directory: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(directory, () => done())
    const timer = setTimeout(() => done(), 1_000)
    const done = () => {
      clearTimeout(timer)
      watcher.close()
      resolve()
    }
  })
}
