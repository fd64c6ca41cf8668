/** The daemon is killed and started again while neither the API nor the metadata service answers. */
import { readFileSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Cluster } from '../cluster/cluster.ts'
import type { Node } from '../cluster/node.ts'
import { ping } from '../cluster/ping.ts'
import type { Pod } from '../cluster/pod.ts'
import { check, until } from '../cluster/process.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import { gone, startCluster } from './testbed.ts'

/** A suite of its own may run beside the others. */
const PREFIX = 'tw-e2e-away'
const TABLE = ['inet', 'cloud-away']
/** A connection that was lost is tried again after 20 s, a question after at most 30 s; ms. */
const BACK_WITHIN = 60_000

describe('while the cloud is away', () => {
  let cluster: Cluster
  let node: Node
  let far: Pod

  beforeAll(async () => {
    // Without security groups, which the daemon then has to learn from the cloud.
    cluster = await startCluster({ prefix: PREFIX, eniConf: { security_group: undefined } })
    node = cluster.node('node-a')
    far = await cluster.createPod(cluster.node('node-b'), 'far')
    await far.add()
  })

  afterEach(async () => {
    await reconnect()
  })

  afterAll(async () => {
    await cluster?.stop()
  })

  const nft = (...argv: string[]) => check(['nsenter', `--net=${node.netnsPath}`, 'nft', ...argv])

  /** What the node sends to the cloud gets lost, so that calls hang; refusals would be the easier case. */
  async function disconnect(): Promise<void> {
    const services = [cluster.region.apiInVpc, cluster.region.metadata].map((url) => new URL(url).hostname)
    await nft('add', 'table', ...TABLE)
    await nft('add', 'chain', ...TABLE, 'out', '{ type filter hook output priority 0; }')
    await nft('add', 'rule', ...TABLE, 'out', `ip daddr { ${services.join(', ')} } drop`)
  }

  async function reconnect(): Promise<void> {
    if ((await nft('list', 'tables')).includes(TABLE.join(' '))) await nft('delete', 'table', ...TABLE)
  }

  /** Lines that the daemon has logged since the last mark. */
  function logSince(mark: number): string {
    return readFileSync(node.logFile, 'utf8').slice(mark)
  }
  const markLog = () => readFileSync(node.logFile, 'utf8').length

  function logged(mark: number, text: string): Promise<true> {
    const seen = () => (logSince(mark).includes(text) ? (true as const) : undefined)
    return until(seen, { what: `"${text}" in ${node.logFile}`, timeout: BACK_WITHIN, every: 100 })
  }

  async function addPod(name: string): Promise<Pod> {
    const pod = await cluster.createPod(node, name)
    await pod.add()
    return pod
  }

  async function end(pod: Pod): Promise<void> {
    await pod.del()
    await pod.destroy()
  }

  test('a daemon that starts serves from its journal, and catches up when the cloud is back', async () => {
    const [stays, leaves, spooled] = [await addPod('stays'), await addPod('leaves'), await addPod('spooled')]
    const pings = ping({ from: stays.netnsPath, to: far.ip, count: 1_000, interval: 10 })
    await node.killDaemon('SIGKILL')
    await end(spooled)
    await disconnect()
    const mark = markLog()
    node.startDaemon()
    await node.waitReady()
    expect(logSince(mark)).toMatch(/metadata service\): no answer within 2000 ms/)
    expect(logSince(mark)).toMatch(/security groups of the primary ENI: no answer within 2000 ms/)

    await end(leaves)
    await until(async () => ((await node.show()).endpoints.length === 1 ? true : undefined), {
      what: 'two pods to end',
    })
    const added = await addPod('added')
    expect(await ping({ from: added.netnsPath, to: far.ip })).toMatchObject({ lost: 0 })
    expect(await pings).toMatchObject({ sent: 1_000, received: 1_000 })

    await reconnect()
    await logged(mark, 'the journal has been compared with the cloud')
    // More than were free: the daemon makes an ENI, with the groups that it had remembered.
    const more: Pod[] = []
    for (let i = 0; i < 20; i += 1) more.push(await addPod(`more-${i}`))
    await assertConsistent(cluster)
    for (const pod of [stays, added, ...more]) await end(pod)
    await gone(node, [])
    await assertConsistent(cluster)
  })

  test('a fresh node waits for the cloud, says what for, and ends when it is told to', async () => {
    await node.killDaemon('SIGTERM')
    // The journal, as after a reboot; the pods have ended.
    rmSync(node.stateDir, { recursive: true })
    await disconnect()
    node.startDaemon()
    await sleep(3_000)
    expect(await node.killDaemon('SIGTERM')).toBe(0)

    // Now only the API is away.
    await nft('flush', 'chain', ...TABLE, 'out')
    await nft('add', 'rule', ...TABLE, 'out', `ip daddr ${new URL(cluster.region.apiInVpc).hostname} drop`)
    const mark = markLog()
    node.startDaemon()
    await logged(mark, 'the limits of instance type ecs.g7.xlarge: no answer; asking again in 2 s')
    await expect(node.show()).rejects.toThrow()
    await reconnect()
    await node.waitReady(BACK_WITHIN)
    await assertConsistent(cluster)
  })

  test('a daemon that went on with facts that are no longer true ends, and the next start has the right ones', async () => {
    await node.killDaemon('SIGTERM')
    rewriteFacts(node)
    await disconnect()
    const mark = markLog()
    node.startDaemon()
    await until(() => (logSince(mark).includes('"serving"') ? true : undefined), { what: 'the daemon to serve' })
    expect(logSince(mark)).toContain('cn-sim-other')
    await reconnect()
    await logged(mark, 'the metadata service tells other facts')
    await node.killDaemon('SIGTERM')
    node.startDaemon()
    await node.waitReady()
    await assertConsistent(cluster)
  })
})

/** As if the state directory had come with an image of another instance's disk. */
function rewriteFacts({ stateDir }: Node): void {
  const db = new DatabaseSync(`${stateDir}/journal.db`)
  const { changes } = db
    .prepare("UPDATE facts SET value = json_set(value, '$.zoneId', 'cn-sim-other') WHERE name = 'node-facts'")
    .run()
  db.close()
  expect(changes).toBe(1)
}
