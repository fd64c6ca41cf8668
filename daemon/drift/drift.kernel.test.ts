/** A node whose network others damage; iproute2 and nft are the independent readers, and pods ping meanwhile. */
import { execFile, execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { type EniId, parseCloudId } from '../../cloud/ids.ts'
import { parseCidr, parseIpv4, parseIpv6, parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { PlanInterpreter } from '../../netlink/interpreter.ts'
import type { Netns } from '../../netlink/netns.ts'
import type { NetworkPlan } from '../../netlink/plan.ts'
import { writeSysctl } from '../../netlink/sysctl.ts'
import { ip, run, TestNamespaces } from '../../test/kernel/namespaces.ts'
import type { Attachment, EniFacts, HostFacts } from '../datapath/attachment.ts'
import { planEni } from '../datapath/plan-eni.ts'
import { planHost } from '../datapath/plan-host.ts'
import { planPod } from '../datapath/plan-pod.ts'
import { ownerOf } from '../pool/model.ts'
import { Drift, type DriftOptions } from './drift.ts'
import type { PlanOwner } from './places.ts'
import type { RepairReport } from './report.ts'

const PREFIX = 'tw-drift-'
const [NODE, ROUTER, POD] = ['node', 'router', 'pod'].map((name) => PREFIX + name)
/** From the notification to the repair, ms: what is promised. */
const PROMISED = 1_000
/** The independent readers take their time. */
const PATIENCE = 5_000
const OUTSIDE = ['203.0.113.7', '2001:db8::7'] as const
const ENI_ID = parseCloudId<EniId>('eni-drift1')
const OWNER = ownerOf('container-a', 'eth0')
const ENI_INDEX = 70
const ENI_TABLE = String(1000 + ENI_INDEX)
const HOST_LINK = 'cali0123456789a'

const eni: EniFacts = {
  ...{ id: ENI_ID, mac: parseMac('02:00:00:00:70:01'), link: parseLinkName('eth1'), ifindex: ENI_INDEX, mtu: 1500 },
  cidrs: { ipv4: parseCidr('10.9.0.0/24'), ipv6: parseCidr('fd09::/64') },
  gateways: { ipv4: parseIpv4('10.9.0.253'), ipv6: parseIpv6('fd09::fffd') },
  mark: 0x10_0000,
}

const hostFacts = (policyRoute: HostFacts['policyRoute']): HostFacts => ({
  addresses: { ipv4: parseIpv4('10.9.1.10'), ipv6: parseIpv6('fd09:1::10') },
  primaryLink: parseLinkName('eth0'),
  ...{ serviceCidrs: [], families: ['ipv4', 'ipv6'], policyRoute, podCidrs: [] },
})

const attachment: Attachment = {
  ...{ datapath: 'policy-route', containerId: 'container-a', ifname: parseLinkName('eth0') },
  ...{ netns: `/run/netns/${POD}`, hostLink: parseLinkName(HOST_LINK) },
  indexes: { link: 5001, peer: 5002, shaper: 5003 },
  addresses: { ipv4: parseIpv4('10.9.0.5'), ipv6: parseIpv6('fd09::5') },
  ...{ mtu: 1400, eni, defaultRoute: true, sourceRouting: false, extraRoutes: [], hostStackCidrs: [] },
  ...{ hostPeer: false, bandwidth: { ingress: { rate: 12_500_000 } } },
}

let spaces: TestNamespaces
let node: Netns
let pod: Netns
let kernel: PlanInterpreter
let reports: RepairReport[]
let looks: number
let rounds: number
let drift: Drift
/** Keep the pod's packets coming while things happen. */
let pings: AbortController

/** A node whose ENI `eth1` leads to a router that knows the way back. */
beforeEach(() => {
  spaces = new TestNamespaces(PREFIX)
  node = spaces.create('node')
  pod = spaces.create('pod')
  const router = spaces.create('router')
  // Link-local addresses are good at once: neighbours are asked for with them.
  for (const netns of [node, router]) {
    for (const which of ['all', 'default']) {
      writeSysctl(netns, { key: ['net', 'ipv6', 'conf', which, 'accept_dad'], value: '0' })
    }
    ip(netns, 'link', 'set', 'lo', 'up')
  }
  const peer = ['type', 'veth', 'peer', 'name', 'r1', 'netns', ROUTER ?? '']
  ip(node, 'link', 'add', 'eth1', 'index', String(ENI_INDEX), 'address', eni.mac, ...peer)
  ip(router, 'link', 'set', 'r1', 'up')
  for (const [i, gateway] of Object.values(eni.gateways).entries()) {
    ip(router, 'addr', 'add', gateway, 'dev', 'r1', ...(i === 1 ? ['nodad'] : []))
    ip(router, 'addr', 'add', OUTSIDE[i] ?? '', 'dev', 'lo')
  }
  for (const address of Object.values(attachment.addresses)) {
    ip(router, 'route', 'add', address, 'dev', 'r1')
    ip(router, 'neigh', 'add', address, 'lladdr', eni.mac, 'dev', 'r1', 'nud', 'permanent')
  }
  // Of others.
  ip(node, 'link', 'add', 'other', 'type', 'veth', 'peer', 'name', 'another')
  for (const end of ['other', 'another']) ip(node, 'link', 'set', end, 'up')
  // The node's own way out: the filter of reverse paths wants one.
  ip(node, 'route', 'add', 'default', 'dev', 'other')
  ip(node, 'rule', 'add', 'from', '192.0.2.0/24', 'priority', '100', 'lookup', '77')
  ip(node, 'route', 'add', '198.51.100.0/24', 'dev', 'other', 'table', '77')
  ip(node, 'route', 'add', 'unreachable', '198.18.0.0/15', 'table', ENI_TABLE)
  run(node, 'nft', 'add table inet foreign; add chain inet foreign mine')
  kernel = new PlanInterpreter({ hostNetns: node })
  reports = []
  looks = 0
  rounds = 0
  pings = new AbortController()
})

afterEach(async () => {
  pings.abort()
  drift[Symbol.dispose]()
  await kernel.close()
  spaces[Symbol.dispose]()
})

function watchNode(policyRoute: HostFacts['policyRoute']): void {
  const host = hostFacts(policyRoute)
  const plans: [PlanOwner, NetworkPlan][] = [
    ['node', planHost(host)],
    [ENI_ID, planEni(eni, host)],
    [OWNER, planPod(attachment, host)],
  ]
  drift = new Drift({
    ...{ netns: node, kernel: counted(kernel), log: pino({ level: 'silent' }) },
    onRepair: (report) => reports.push(report),
    onCompared: () => rounds++,
  })
  for (const [owner, plan] of plans) {
    kernel.apply(plan)
    drift.watch(owner, plan, owner === OWNER ? 'default/a' : undefined)
  }
}

/** Counts the readings of the host. */
function counted(real: PlanInterpreter): DriftOptions['kernel'] {
  return {
    verifier: () => {
      looks++
      return real.verifier()
    },
    apply: (plan) => real.apply(plan),
    repairMarks: (plans) => real.repairMarks(plans),
    get marksPortid() {
      return real.marksPortid
    },
  }
}

const execute = promisify(execFile)

const VIEWS = [
  ...['-4', '-6'].flatMap((family) => [
    `ip ${family} rule`,
    `ip ${family} route show table all`,
    `ip ${family} -o addr`,
    `ip ${family} neigh show nud permanent`,
  ]),
  ...['ip -o link', 'tc qdisc', 'nft list ruleset'],
]

/** What iproute2 and nft say of the node, a line for each object. */
async function snapshot(): Promise<string[]> {
  const { stdout } = await execute('ip', ['netns', 'exec', NODE ?? '', 'sh', '-ec', VIEWS.join('\n')])
  return stdout.split('\n').map(normal).filter(Boolean).toSorted()
}

/** Without what differs from one look to the next, and what is of the kernel's own. */
function normal(line: string): string {
  if (/ (fe80|ff00)::|^unreachable .* dev lo/.test(line)) return ''
  return line.replaceAll(/ qdisc noqueue.*| expires \w+| refcnt \d+|\belements = | valid_lft.*/g, '').trim()
}

/** Waits until the node is as before. @returns how long it took, ms */
async function restored(before: readonly string[]): Promise<number> {
  const began = performance.now()
  for (;;) {
    const now = await snapshot()
    const took = performance.now() - began
    if (JSON.stringify(now) === JSON.stringify(before)) return took
    if (took > PATIENCE) expect(now).toEqual(before)
    await sleep(20)
  }
}

/** Echo replies end when somebody says so; what is lost meanwhile is counted by nobody. */
function keepPinging(): void {
  for (const to of OUTSIDE) {
    const child = execFile('ip', ['netns', 'exec', POD ?? '', 'ping', '-q', '-i0.01', to], { signal: pings.signal })
    child.on('error', () => undefined)
  }
}

function answers(to: string): boolean {
  try {
    return run(pod, 'ping', '-c1', '-W1', '-n', to).includes('1 received')
  } catch {
    return false
  }
}

/** In one go, as a script or a daemon would. */
const damage = (...commands: string[]) =>
  execFileSync('ip', ['netns', 'exec', NODE ?? '', 'sh', '-ec', commands.join('\n')], { stdio: 'pipe' })

/** What was measured, ms: until iproute2 shows the node as before, and what the reports say. */
const measured: string[] = []
afterAll(() => {
  process.stderr.write(`restored, ms\n${measured.join('\n')}\n`)
})

async function expectRestored(before: readonly string[], what: string): Promise<void> {
  const took = await restored(before)
  const told = Math.max(...reports.map(({ milliseconds }) => milliseconds))
  expect(told).toBeLessThanOrEqual(PROMISED)
  measured.push(`${took.toFixed(0).padStart(5)} ${told.toFixed(0).padStart(5)}  ${what}`)
}

type Damage = readonly [what: string, commands: readonly string[], owners: readonly PlanOwner[]]

const DAMAGES: readonly Damage[] = [
  [
    "flushes the ENI's table",
    [`ip route del default table ${ENI_TABLE}`, `ip -6 route flush table ${ENI_TABLE}`],
    [ENI_ID],
  ],
  ['flushes the routes to pods', [`ip route flush dev ${HOST_LINK} table all proto boot`], [OWNER]],
  [
    "deletes the pod's neighbours",
    [`ip neigh del 10.9.0.5 dev ${HOST_LINK}`, `ip -6 neigh del fd09::5 dev ${HOST_LINK}`],
    [OWNER],
  ],
  [
    "gives the pod's neighbour another MAC address",
    [`ip neigh replace 10.9.0.5 lladdr 02:00:00:00:00:99 dev ${HOST_LINK}`],
    [OWNER],
  ],
  ["sets the pod's link down", [`ip link set ${HOST_LINK} down`], [OWNER]],
  ["sets the pod's end of the link down", [`ip -n ${POD} link set eth0 down`], [OWNER]],
  ["changes the MTU of the pod's link", [`ip link set ${HOST_LINK} mtu 1300`], [OWNER]],
  ["deletes the pod's link", [`ip link del ${HOST_LINK}`], [OWNER]],
  ["lifts the pod's limit", [`tc qdisc del dev ${HOST_LINK} root`], [OWNER]],
  ['sets the ENI down', ['ip link set eth1 down'], [ENI_ID]],
  ["deletes the node's addresses on the ENI", ['ip addr flush dev eth1 scope global'], [ENI_ID]],
  [
    "replaces the pod's route",
    ['for t in main 1000; do ip route change 10.9.0.5 dev other table $t || :; done'],
    [OWNER],
  ],
  [
    'sets everything down',
    ['ip addr flush dev eth1 scope global', 'ip link set eth1 down', `ip link set ${HOST_LINK} down`],
    [ENI_ID, OWNER],
  ],
]

async function expectRepairOf([what, commands, owners]: Damage): Promise<void> {
  for (const to of OUTSIDE) expect(answers(to)).toBe(true)
  const before = await snapshot()
  keepPinging()
  damage(...commands)
  await expectRestored(before, what)
  for (const to of OUTSIDE) expect(answers(to)).toBe(true)
  expect(new Set(reports.map(({ owner }) => owner))).toEqual(new Set(owners))
  expect(new Set(reports.map(({ outcome }) => outcome))).toEqual(new Set(['repaired']))
}

describe.each(['map', 'rules'] as const)('policy routes in the form of %s: all is as before when somebody', (form) => {
  test.each(DAMAGES)('%s', async (...one) => {
    watchNode(form)
    await expectRepairOf(one)
  })

  test('flushes our rules', async () => {
    watchNode(form)
    const flush = ['-4', '-6'].flatMap((family) =>
      [512, 2048].map((priority) => `ip ${family} rule flush priority ${priority}`),
    )
    await expectRepairOf(['flushes our rules', flush, form === 'map' ? ['node', ENI_ID] : [OWNER]])
  })

  test('flushes all rules, and those of others are not ours to bring back', async () => {
    watchNode(form)
    const ours = async () => (await snapshot()).filter((line) => /^(512|2048):/.test(line))
    const before = await ours()
    damage('ip rule flush', 'ip -6 rule flush')
    await until(async () => JSON.stringify(await ours()) === JSON.stringify(before))
    expect(before).toHaveLength(4)
    expect(await snapshot()).not.toContainEqual(expect.stringMatching(/^100:/))
  })
})

/** @throws Error when it does not come true. */
async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (const began = performance.now(); !(await condition()); await sleep(20)) {
    if (performance.now() - began > PATIENCE) throw new Error('it has not come true')
  }
}

describe('source marks are as before when somebody', () => {
  test.each<Damage>([
    [
      'flushes the ruleset',
      ['nft flush ruleset', 'nft add table inet foreign', 'nft add chain inet foreign mine'],
      [OWNER],
    ],
    ['deletes a mark', ['nft delete element inet terway_routing pods4 { 10.9.0.5 }'], [OWNER]],
    ['empties the chain that looks marks up', ['nft flush chain inet terway_routing prerouting'], [OWNER]],
  ])('%s', async (...one) => {
    watchNode('map')
    await expectRepairOf(one)
  })
})

test('what the kernel tells nothing of is found by the comparison of everything', async () => {
  watchNode('map')
  ip(pod, 'route', 'del', 'default')
  writeSysctl(node, { key: ['net', 'ipv4', 'ip_forward'], value: '0' })
  await sleep(300)
  expect([reports, rounds]).toEqual([[], 0])
  drift.compareAll()
  await until(() => rounds === 1)
  for (const to of OUTSIDE) expect(answers(to)).toBe(true)
  const found = reports.map(({ owner, differences }) => [owner, differences.map(({ object }) => object)])
  expect(new Map(found as [PlanOwner, string[]][])).toEqual(
    new Map<PlanOwner, string[]>([
      ['node', ['sysctl']],
      [OWNER, ['route']],
    ]),
  )
  expect(reports.find(({ owner }) => owner === OWNER)?.pod).toBe('default/a')
})

test('what the daemon does itself calls for no look', async () => {
  watchNode('map')
  ip(node, 'rule', 'add', 'from', '192.0.2.7', 'priority', '101', 'lookup', '77')
  // Longer than a burst is waited for.
  await sleep(400)
  expect(looks).toBe(0)
  drift.forget(OWNER)
  await kernel.remove(planPod(attachment, hostFacts('map')))
  await sleep(400)
  expect([looks, reports]).toEqual([0, []])
})

test('a pod whose sandbox has ended is left to its DEL', async () => {
  watchNode('map')
  spaces.delete('pod')
  await until(() => looks > 0)
  await sleep(100)
  expect(reports).toEqual([])
})
