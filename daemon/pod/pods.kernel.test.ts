/** The verbs with the real journal and the real kernel; the pool has its addresses from the start and no cloud. */
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import type { Cloud } from '../../cloud/cloud.ts'
import { type EniId, type InstanceId, parseCloudId, type VpcId, type VSwitchId, type ZoneId } from '../../cloud/ids.ts'
import { VSwitches } from '../../cloud/vswitch/vswitches.ts'
import { addressAt, type Ipv4, parseCidr, parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { PlanInterpreter } from '../../netlink/interpreter.ts'
import type { Netns } from '../../netlink/netns.ts'
import { NetlinkSocket } from '../../netlink/socket.ts'
import type { Invocation__Output } from '../../proto/generated/terway/cni/v1/Invocation.ts'
import { ip, ipJson, TestNamespaces } from '../../test/kernel/namespaces.ts'
import { parseAdd, parseCheck, parseDel, parseGc } from '../cni/invocation.ts'
import { NodeLinks } from '../datapath/node-links.ts'
import { planHost } from '../datapath/policy-route.ts'
import { REAL_POOL_CLOCK } from '../pool/clock.ts'
import type { EniKey, KnownEni } from '../pool/model.ts'
import { Pool } from '../pool/pool.ts'
import { poolLimits } from '../pool/settings.ts'
import { PoolTables } from '../pool/tables.ts'
import { Journal } from '../store/journal.ts'
import { add } from './add.ts'
import type { PodContext } from './context.ts'
import { Endpoints } from './endpoints.ts'
import { KeyedLock } from './keyed-lock.ts'
import { LinkIndexes } from './link-indexes.ts'
import { recover } from './recover.ts'
import { Removals } from './remove.ts'
import { Sweep } from './sweep.ts'
import { check, del, gc } from './verbs.ts'

const CIDR = parseCidr('10.9.0.0/24')
const ADDRESSES = 20
const log = pino({ level: 'silent' })
const mac = parseMac('00:16:3e:09:00:01')

/** The pool never needs the cloud here: watermarks are zero and every address is there. */
const NO_CLOUD = new Proxy({} as Cloud, {
  get: (_, action) => () => Promise.reject(new Error(`${String(action)} must not be called`)),
})

let namespaces: TestNamespaces
let node: Netns
let directory: string
let journal: Journal
let kernel: PlanInterpreter
let socket: NetlinkSocket
let context: PodContext
let pool: Pool

/** A daemon's inside on what the journal has. */
async function start(): Promise<void> {
  journal = new Journal(directory)
  kernel = new PlanInterpreter({ hostNetns: node })
  socket = NetlinkSocket.open({ netns: node })
  const links = new NodeLinks({ socket, kernel, nodeIp: addressAt(CIDR, 200n) as Ipv4, mtu: 1500 })
  const limits = poolLimits({ maxEnis: 1, addressesPerEni: ADDRESSES, minFree: 0, maxFree: ADDRESSES })
  pool = new Pool({
    ...{
      state: journal.loadPool(),
      journal,
      cloud: NO_CLOUD,
      links,
      limits,
      log,
      clock: REAL_POOL_CLOCK,
      conntrack: { forget: async () => undefined },
      tags: {},
      coolDown: 0,
    },
    ...{ instanceId: parseCloudId<InstanceId>('i-here'), securityGroupIds: [] },
    vSwitches: new VSwitches({
      ...{ cloud: NO_CLOUD, allowed: [], now: Date.now },
      ...{ vpcId: parseCloudId<VpcId>('vpc-1'), zone: parseCloudId<ZoneId>('cn-sim-h') },
    }),
  })
  const endpoints = new Endpoints(journal, journal.loadEndpoints())
  const shared = { endpoints, pool, kernel, log, now: Date.now, keepsAddress: () => false }
  context = {
    ...{ ...shared, links, removals: new Removals(shared), locks: new KeyedLock(), mtu: 1500, acquireTimeout: 2_000 },
    indexes: new LinkIndexes(links.indexes()),
  }
  kernel.apply(planHost())
  await recover(context)
  await pool.bringUp()
  pool.start()
}

async function stop(): Promise<void> {
  await pool.stop()
  await context.removals.settled()
  await kernel.close()
  socket.close()
  journal.close()
}

function fillJournal(): void {
  const eni: KnownEni = {
    ...{
      phase: 'in-use',
      role: 'shared',
      key: 'k' as EniKey,
      vSwitchId: parseCloudId<VSwitchId>('vsw-h'),
      cidr: CIDR,
      mac,
      since: 0,
    },
    ...{ id: parseCloudId<EniId>('eni-1'), primaryIp: addressAt(CIDR, 1n) as Ipv4 },
  }
  const tables = new PoolTables()
  const records = Array.from({ length: ADDRESSES }, (_, i) => addressAt(CIDR, BigInt(i + 1)) as Ipv4)
  const changes = records.map((address, i) => ({
    kind: 'put-address' as const,
    address: { ip: address, eni: eni.key, primary: i === 0, since: 0, phase: 'warm' as const },
  }))
  tables.apply(changes)
  const first = new Journal(directory)
  first.commitPool([{ kind: 'put-eni', eni }, ...changes])
  first.close()
}

beforeEach(async () => {
  namespaces = new TestNamespaces('tw-pods-')
  node = namespaces.create('node')
  ip(node, 'link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'vpc')
  ip(node, 'link', 'set', 'eth1', 'address', mac)
  directory = mkdtempSync(join(tmpdir(), 'terway-pods-'))
  fillJournal()
  await start()
})

afterEach(async () => {
  await stop()
  namespaces[Symbol.dispose]()
  rmSync(directory, { recursive: true, force: true })
})

interface Call {
  readonly containerId: string
  readonly netns: string
  readonly ifname: string
  readonly pod: string
  readonly conf: object
}

function raw({
  containerId = 'c1',
  netns = '',
  ifname = 'eth0',
  pod = 'web',
  conf = {},
}: Partial<Call>): Invocation__Output {
  const args = `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod}`
  const config = Buffer.from(JSON.stringify({ cniVersion: '1.1.0', name: 'terway', type: 'terway', ...conf }))
  return { containerId, netns, ifname, args, config }
}

const alive = new AbortController().signal
const addPod = async (call: Partial<Call>, signal = alive) =>
  JSON.parse(Buffer.from(await add(context, parseAdd(raw(call)), signal)).toString()) as {
    ips: { address: string }[]
    routes: unknown[]
  }
const delPod = (call: Partial<Call>) => del(context, parseDel(raw(call)))
const podLinks = () => ipJson(node, 'link').filter(({ ifname }) => String(ifname).startsWith('cali'))
const podRules = () =>
  ip(node, 'rule')
    .split('\n')
    .filter((line) => /^(512|2048):/.test(line))

test('descriptors do not grow with ADD and DEL, nor with those that fail', async () => {
  const pod = namespaces.create('pod')
  const round = async (): Promise<void> => {
    await addPod({ netns: pod.path })
    await expect(addPod({ containerId: 'c2', pod: 'other', netns: '/run/netns/tw-pods-nothing' })).rejects.toThrow()
    await delPod({})
    await context.removals.settled()
  }
  await round()
  const count = () => readdirSync('/proc/self/fd').length
  const before = count()
  for (let i = 0; i < 30; i++) await round()
  expect(count()).toBe(before)
})

describe('a second ADD', () => {
  test('of a live endpoint is refused', async () => {
    const pod = namespaces.create('pod')
    await addPod({ netns: pod.path })
    await expect(addPod({ netns: pod.path })).rejects.toMatchObject({ code: 101, reason: 'endpoint-exists' })
  })

  test('straight after DEL succeeds, although the link may still be on its way out', async () => {
    const pod = namespaces.create('pod')
    for (let i = 0; i < 5; i++) {
      await addPod({ netns: pod.path })
      await delPod({})
    }
    await addPod({ netns: pod.path })
    expect(podLinks()).toHaveLength(1)
  })

  test('for a pod whose older sandbox lives replaces it', async () => {
    const [older, newer] = [namespaces.create('older'), namespaces.create('newer')]
    await addPod({ netns: older.path })
    await addPod({ containerId: 'c2', netns: newer.path })
    expect(podLinks()).toHaveLength(1)
    expect(ipJson(older, 'link').map(({ ifname }) => ifname)).toEqual(['lo'])
    await delPod({})
    await context.removals.settled()
    expect(context.endpoints.all().map(({ containerId }) => containerId)).toEqual(['c2'])
  })

  test('that cannot succeed leaves the older sandbox alone', async () => {
    const pod = namespaces.create('pod')
    await addPod({ netns: pod.path })
    const failing = addPod({ containerId: 'c2', netns: '/run/netns/tw-pods-nothing' })
    await expect(failing).rejects.toMatchObject({ code: 3, reason: 'netns-vanished' })
    await check(context, parseCheck(raw({ netns: pod.path })))
  })

  test('whose link name another pod has is refused, and that pod keeps it', async () => {
    const [first, second] = [namespaces.create('first'), namespaces.create('second')]
    await addPod({ netns: first.path, pod: 'webnet1' })
    const clash = addPod({ containerId: 'c2', netns: second.path, ifname: 'net1', pod: 'web' })
    await expect(clash).rejects.toMatchObject({ code: 101, reason: 'link-name-taken' })
    await check(context, parseCheck(raw({ netns: first.path, pod: 'webnet1' })))
  })

  test('with another interface name gives an address of its own and no second default route', async () => {
    const pod = namespaces.create('pod')
    const one = await addPod({ netns: pod.path })
    const two = await addPod({ netns: pod.path, ifname: 'eth1' })
    expect(two.ips[0]?.address).not.toBe(one.ips[0]?.address)
    expect([one.routes.length, two.routes.length]).toEqual([1, 0])
    expect(ipJson(pod, 'route', 'show', 'default')).toHaveLength(1)
  })
})

test('an ADD whose plugin is gone leaves nothing', async () => {
  const pod = namespaces.create('pod')
  const gone = AbortSignal.abort(new Error('gone'))
  await expect(addPod({ netns: pod.path }, gone)).rejects.toMatchObject({ code: 11, reason: 'cancelled' })
  expect([podLinks(), podRules(), context.endpoints.all()]).toEqual([[], [], []])
})

test('a namespace that cannot be looked at is not called vanished', async () => {
  const loop = join(directory, 'loop')
  symlinkSync(loop, loop)
  await expect(addPod({ netns: loop })).rejects.toMatchObject({ code: 102, reason: 'kernel-refused' })
  await expect(addPod({ netns: join(directory, 'journal.db') })).rejects.toMatchObject({ code: 4 })
})

test('GC removes what is not listed, of its own network only', async () => {
  const [ours, theirs] = [namespaces.create('ours'), namespaces.create('theirs')]
  await addPod({ netns: ours.path })
  await addPod({ containerId: 'c2', netns: theirs.path, pod: 'other', conf: { name: 'second' } })
  await gc(context, parseGc(raw({ conf: { 'cni.dev/valid-attachments': [] } })))
  expect(context.endpoints.all().map(({ containerId }) => containerId)).toEqual(['c2'])
  await check(context, parseCheck(raw({ containerId: 'c2', netns: theirs.path })))
})

describe('pods that ended without a DEL', () => {
  test('are found by two looks in a row', async () => {
    const pod = namespaces.create('pod')
    await addPod({ netns: pod.path })
    const sweep = new Sweep(context)
    await sweep.run()
    expect(context.endpoints.all()).toHaveLength(1)
    namespaces.delete('pod')
    while (podLinks().length > 0) await new Promise((resolve) => setTimeout(resolve, 10))
    await sweep.run()
    expect(context.endpoints.all()).toHaveLength(1)
    await sweep.run()
    expect([context.endpoints.all(), podRules()]).toEqual([[], []])
  })

  test('and those whose namespace is only hidden keep their network over a restart', async () => {
    const pod = namespaces.create('pod')
    await addPod({ netns: pod.path })
    const endpoint = context.endpoints.all()[0]
    if (endpoint === undefined) throw new Error('no endpoint')
    context.endpoints.put({ ...endpoint, netns: '/run/netns/tw-pods-hidden' })
    await stop()
    await start()
    expect(context.endpoints.all()).toHaveLength(1)
    expect(podLinks()).toHaveLength(1)
  })
})

test('a restart repairs what the kernel lost and removes rules of pods that nobody knows', async () => {
  const pod = namespaces.create('pod')
  await addPod({ netns: pod.path })
  const rules = podRules()
  await stop()
  ip(node, 'rule', 'del', 'priority', '2048')
  ip(node, 'rule', 'add', 'from', '10.9.0.77', 'lookup', '1099', 'priority', '2048')
  ip(node, 'rule', 'add', 'to', '10.9.0.77', 'lookup', 'main', 'priority', '512')
  await start()
  await new Sweep(context).run()
  expect(podRules()).toEqual(rules)
  await check(context, parseCheck(raw({ netns: pod.path })))
})

test('a pod follows its ENI to another link', async () => {
  const pod = namespaces.create('pod')
  await addPod({ netns: pod.path })
  await stop()
  ip(node, 'link', 'del', 'eth1')
  ip(node, 'link', 'add', 'eth9', 'type', 'veth', 'peer', 'name', 'vpc9')
  ip(node, 'link', 'set', 'eth9', 'address', mac)
  await start()
  await new Sweep(context).run()
  const ifindex = Number(ipJson(node, 'link', 'show', 'eth9')[0]?.ifindex)
  expect(podRules().join()).toContain(`lookup ${1000 + ifindex}`)
  expect(podRules()).toHaveLength(2)
  expect(parseLinkName('eth9')).toBe(pool.readyEni('k' as EniKey)?.link)
})
