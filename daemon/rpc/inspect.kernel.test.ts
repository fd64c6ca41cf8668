/** What the Inspect service says of a real kernel, and terway-cli makes of it. */

import { join } from 'node:path'
import { credentials, type ServiceError, status } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { isProblem } from '../../cli/objects.ts'
import type { Paint } from '../../cli/paint.ts'
import { renderPod } from '../../cli/pod.ts'
import type { NodeFacts } from '../../cloud/metadata.ts'
import type { Netns } from '../../netlink/netns.ts'
import { Inspect } from '../../proto/contract.ts'
import type { CniHandlers } from '../../proto/generated/terway/cni/v1/Cni.ts'
import type { HostInspection__Output as HostInspection } from '../../proto/generated/terway/inspect/v1/HostInspection.ts'
import type { PodInspection__Output as PodInspection } from '../../proto/generated/terway/inspect/v1/PodInspection.ts'
import type { RepairHandlers } from '../../proto/generated/terway/repair/v1/Repair.ts'
import { ip, run } from '../../test/kernel/namespaces.ts'
import { PodsUnderTest } from '../../test/kernel/pods-under-test.ts'
import { KeptReports } from '../pool/report/reports.ts'
import { inspectService } from './inspect-service.ts'
import { type RunningServer, serve } from './server.ts'

let node: PodsUnderTest
let pod: Netns
let running: RunningServer
let client: InstanceType<typeof Inspect>

beforeEach(async () => {
  node = new PodsUnderTest('tw-insp-')
  await node.start({ families: ['ipv4', 'ipv6'] })
  pod = node.namespaces.create('pod')
  const socket = join(node.directory, 's')
  const inspect = inspectService({
    ...{ nodeName: 'node-1', facts: {} as NodeFacts, version: '1.2.3', startedAt: 1, now: () => 1, mode: 'shared' },
    ...{ pods: node.context, pool: node.pool, netns: node.netns, problems: () => [] },
    reports: new KeptReports(node.context.log),
  })
  running = await serve(socket, { cni: {} as CniHandlers, inspect, repair: {} as RepairHandlers })
  client = new Inspect(`unix:${socket}`, credentials.createInsecure())
})

afterEach(async () => {
  client.close()
  await running.stop()
  await node.end()
})

function inspectPod(name: string): Promise<PodInspection> {
  return new Promise((resolve, reject) => {
    client.InspectPod({ namespace: 'default', pod: name }, (error, reply) =>
      reply === undefined ? reject(error) : resolve(reply),
    )
  })
}

function inspectHost(): Promise<HostInspection> {
  return new Promise((resolve, reject) => {
    client.InspectHost({}, (error, reply) => (reply === undefined ? reject(error) : resolve(reply)))
  })
}

const objectsOf = ({ endpoints }: PodInspection) => endpoints.flatMap(({ objects }) => objects)
const marked: Paint = (tone, text) => (tone === 'plain' ? text : `<${tone}>${text}`)
const linesIn = (tone: string, inspection: PodInspection) =>
  renderPod(inspection, { paint: marked, width: Number.POSITIVE_INFINITY, onlyProblems: false })
    .split('\n')
    .filter((line) => line.startsWith(`<${tone}>`))

describe('a pod', () => {
  test('is shown with what it was made from, limits included', async () => {
    const conf = { runtimeConfig: { bandwidth: { ingressRate: 10_000_000, ingressBurst: 800_000 } } }
    const { ips } = await node.add({ netns: pod.path, conf })
    const { endpoints } = await inspectPod('web')
    expect(endpoints).toHaveLength(1)
    expect(endpoints[0]).toMatchObject({
      ...{ eniLink: 'eth1', vlanId: 0, replacing: false },
      endpoint: {
        ...{ containerId: 'c1', ifname: 'eth0', netns: pod.path, phase: 'ready', datapath: 'policy-route' },
        ...{ ips: ips.map(({ address }) => address.replace(/\/.*/, '')), eniId: 'eni-1' },
        ...{ ingress: { rate: 1_250_000, burst: 100_000 }, egress: null },
      },
    })
  })

  test('that is as planned differs in nothing; without its default route in exactly that', async () => {
    await node.add({ netns: pod.path })
    const before = await inspectPod('web')
    expect(objectsOf(before).filter(isProblem)).toEqual([])
    expect(linesIn('good', before)).toHaveLength(objectsOf(before).length + 1)

    ip(pod, '-4', 'route', 'del', 'default')
    const after = await inspectPod('web')
    const wanted = 'default (ipv4) via 169.254.1.1 dev eth0 table 254 onlink'
    expect(objectsOf(after).filter(({ state }) => state !== 'same')).toEqual([
      { netns: 'pod', object: 'route', wanted, found: '', state: 'missing' },
    ])
    expect(linesIn('bad', after)).toEqual([
      expect.stringMatching(
        /^<bad>✗ +pod +route +default \(ipv4\) via 169\.254\.1\.1 dev eth0 table 254 onlink +missing$/,
      ),
      `<bad>kernel differs in 1 of ${objectsOf(before).length} objects: 1 missing`,
    ])
  })

  test('whose namespace has gone has lost it, and nothing is said of what was in it', async () => {
    await node.add({ netns: pod.path })
    node.namespaces.delete('pod')
    const objects = objectsOf(await inspectPod('web'))
    expect(objects[0]).toEqual({ netns: 'pod', object: 'netns', wanted: pod.path, found: '', state: 'missing' })
    expect(objects.filter(({ netns }) => netns === 'pod')).toHaveLength(1)
  })

  test('that is not here is NOT_FOUND, with what to do', async () => {
    const error: unknown = await inspectPod('nobody').catch((reason: unknown) => reason)
    const { code, details } = error as ServiceError
    expect(code).toBe(status.NOT_FOUND)
    expect(details).toMatch(/^pod default\/nobody has no interface .*; kubectl get pod -o wide/)
  })
})

describe('the host', () => {
  const problems = ({ plans }: HostInspection) =>
    plans.flatMap(({ owner, objects }) => objects.filter(isProblem).map((object) => ({ owner, ...object })))

  test('is shown with the plans of the node and its ENI, its features and what it counts', async () => {
    await node.add({ netns: pod.path })
    const host = await inspectHost()
    expect(problems(host)).toEqual([])
    expect(host).toMatchObject({
      ...{ name: 'node-1', version: '1.2.3', mode: 'shared', families: ['ipv4', 'ipv6'], policyRoute: 'map' },
      ...{ primaryLink: 'eth0', pods: 1, marks: 2, kernel: run(node.netns, 'uname', '-r').trim() },
    })
    expect(host.plans.map(({ owner, link }) => [owner, link])).toEqual([
      ['node', ''],
      ['eni-1', 'eth1'],
    ])
    expect(host.features).toContainEqual({ name: 'veth', present: true })
    expect(host.tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['ipv4 neighbours', 'ipv6 neighbours']))
    const rules = ['-4', '-6'].flatMap((family) => ip(node.netns, family, 'rule').trim().split('\n'))
    expect(host.rules).toBe(rules.length)
  })

  test('a sysctl is shown as it is, and one that a namespace has not got is tolerated', async () => {
    const objects = (await inspectHost()).plans.flatMap((plan) => plan.objects)
    expect(objects).toContainEqual({
      ...{ netns: 'host', object: 'sysctl', wanted: 'net.ipv4.ip_forward = 1', found: '1', state: 'same' },
    })
    expect(objects).toContainEqual({
      ...{ netns: 'host', object: 'sysctl', wanted: 'net.ipv4.neigh.default.gc_thresh3 >= 32768', found: '' },
      state: 'tolerated',
    })
  })

  test('what somebody has changed is told with what it is now', async () => {
    run(node.netns, 'sysctl', '-q', 'net.ipv4.conf.eth1.rp_filter=1')
    ip(node.netns, '-6', 'rule', 'del', 'prio', '512')
    expect(problems(await inspectHost())).toEqual([
      {
        ...{ owner: 'node', netns: 'host', object: 'rule', wanted: '512: from all (ipv6) lookup 1000', found: '' },
        state: 'missing',
      },
      {
        ...{ owner: 'eni-1', netns: 'host', object: 'sysctl', wanted: 'net.ipv4.conf.eth1.rp_filter = 2', found: '1' },
        state: 'different',
      },
    ])
  })

  test('settings that no plan has are told, once and only there', async () => {
    run(node.netns, 'sysctl', '-q', 'net.ipv4.conf.all.rp_filter=2')
    const { settings, plans } = await inspectHost()
    const keys = settings.map(({ key }) => key)
    expect(settings).toContainEqual({ key: 'net.ipv4.conf.all.rp_filter', value: '2' })
    expect(keys).toContain('net.ipv4.conf.eth0.rp_filter')
    expect(new Set(keys).size).toBe(keys.length)
    const wanted = plans.flatMap(({ objects }) => objects.map((object) => object.wanted.split(' ')[0]))
    expect(keys.filter((key) => wanted.includes(key))).toEqual([])
  })
})
