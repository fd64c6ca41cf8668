/** A pod goes from one form of policy routing to the other and back, while it talks. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Attachment, EniFacts, HostFacts } from '../daemon/datapath/attachment.ts'
import { planEni } from '../daemon/datapath/plan-eni.ts'
import { planHost } from '../daemon/datapath/plan-host.ts'
import { planPod } from '../daemon/datapath/plan-pod.ts'
import { parseIp, parseIpv4, parseIpv6 } from '../inet/address.ts'
import { parseLinkName } from '../inet/link-name.ts'
import { only, ENI as SOME_ENI, HOST as SOME_HOST, POD as SOME_POD } from '../test/datapath/attachments.ts'
import { ip, ipJson, run, TestNamespaces } from '../test/kernel/namespaces.ts'
import { PlanInterpreter } from './interpreter.ts'
import type { Netns } from './netns.ts'
import { joinPlans, type NetworkPlan, networkPlan } from './plan.ts'

const CALI = parseLinkName('cali0123456789a')
const ADDRESS = parseIpv4('10.0.1.7')
/** In the VPC: only the table of the ENI leads there. */
const FAR = ['203.0.113.1', '2001:db8::1'] as const
const MARK = 0x0010_0000

const ENI: EniFacts = {
  ...SOME_ENI,
  ...{ link: parseLinkName('eni1'), ifindex: 70, mark: MARK },
  gateways: { ipv4: parseIpv4('10.0.0.253'), ipv6: parseIpv6('fd00::fd') },
}
const hostOf = (policyRoute: HostFacts['policyRoute']): HostFacts => ({
  ...SOME_HOST,
  ...{ policyRoute, primaryLink: parseLinkName('primary') },
  addresses: { ipv4: parseIpv4('10.0.0.5'), ipv6: parseIpv6('fd00::5') },
})

let spaces: TestNamespaces
let vpc: Netns
let host: Netns
let pod: Netns
let kernel: PlanInterpreter

beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-repl-')
  ;[vpc, host, pod] = [spaces.create('vpc'), spaces.create('host'), spaces.create('pod')]
  // As distributions have it. The links below are born with it.
  for (const scope of ['all', 'default']) run(host, 'sysctl', '-qw', `net.ipv4.conf.${scope}.rp_filter=1`)
  const peer = ['type', 'veth', 'peer', 'name', 'gw', 'netns', 'tw-nl-repl-vpc']
  ip(host, 'link', 'add', ENI.link, 'index', String(ENI.ifindex), ...peer)
  // The node's own default route: packets that miss the ENI's table are lost there.
  ip(host, 'link', 'add', 'primary', 'type', 'veth', 'peer', 'name', 'nowhere')
  for (const link of ['primary', 'nowhere']) ip(host, 'link', 'set', link, 'up')
  for (const link of ['lo', 'gw']) ip(vpc, 'link', 'set', link, 'up')
  const families = [
    ['-4', '10.0.0.253/24', FAR[0], '10.0.1.0/24', '10.0.0.5'],
    ['-6', 'fd00::fd/64', FAR[1], 'fd00:1::/64', 'fd00::5'],
  ] as const
  for (const [family, gateway, far, pods, node] of families) {
    ip(host, family, 'route', 'add', 'default', 'dev', 'primary')
    ip(vpc, family, 'addr', 'add', gateway, 'dev', 'gw', ...(family === '-6' ? ['nodad'] : []))
    ip(vpc, family, 'addr', 'add', far, 'dev', 'lo')
    ip(vpc, family, 'route', 'add', pods, 'via', node)
  }
  kernel = new PlanInterpreter({ hostNetns: host })
})

afterEach(async () => {
  await kernel.close()
  spaces[Symbol.dispose]()
})

type Form = HostFacts['policyRoute']

const attachment = (): Attachment => ({
  ...SOME_POD,
  ...{ netns: pod.path, hostLink: CALI, eni: ENI, indexes: { link: 5001, peer: 5002, shaper: 5003 } },
  addresses: { ipv4: ADDRESS, ipv6: parseIpv6('fd00:1::7') },
})

/** What all pods share. */
const nodeIn = (form: Form) => joinPlans([planHost(hostOf(form)), planEni(ENI, hostOf(form))])
const podIn = (form: Form) => planPod(attachment(), hostOf(form))

function apply(form: Form): void {
  kernel.apply(nodeIn(form))
  kernel.apply(podIn(form))
}

/** The node's part is there before the pods need it, and goes when none does any more. */
async function change(from: Form, to: Form): Promise<void> {
  kernel.apply(nodeIn(to))
  await kernel.replace(podIn(from), podIn(to))
  await kernel.replace(nodeIn(from), nodeIn(to))
}

const hostState = () => ({
  rules: ['-4', '-6'].map((family) =>
    ipJson(host, family, 'rule').map(({ priority, table, src, fwmark }) => ({ priority, table, src, fwmark })),
  ),
  routes: ['-4', '-6'].map((family) =>
    ipJson(host, family, 'route', 'show', 'table', 'all', 'dev', CALI).map(({ dst, table }) => ({ dst, table })),
  ),
  nft: run(host, 'nft', 'list', 'ruleset'),
})

test.each<[Form, Form]>([
  ['rules', 'map'],
  ['map', 'rules'],
])('%s to %s leaves what was made new, and no more', async (from, to) => {
  apply(to)
  const wanted = hostState()
  await kernel.remove(podIn(to))
  await kernel.remove(nodeIn(to))

  apply(from)
  // A link that was made anew would not have it.
  ip(host, 'link', 'set', CALI, 'txqueuelen', '77')
  await change(from, to)
  expect(kernel.verifyAll([nodeIn(to), podIn(to)])).toEqual([[], []])
  expect(hostState()).toEqual(wanted)
  expect(ipJson(host, 'link', 'show', CALI)[0]).toMatchObject({ txqlen: 77 })
})

test('to and fro, under strict reverse path filtering, no packet of the pod is lost', async () => {
  apply('rules')
  expect(run(host, 'sysctl', '-n', `net.ipv4.conf.${ENI.link}.rp_filter`).trim()).toBe('1')
  // From here on the neighbours on the way are known: packets that wait for one are dropped when they are many.
  for (const address of FAR) run(pod, 'ping', '-q', '-c', '1', '-w', '10', address)
  const words = ['netns', 'exec', 'tw-nl-repl-pod', 'ping', '-q', '-i', '0.001', '-c', '1500']
  const pings = FAR.map((address) => spawn('ip', [...words, address]))
  const ended = pings.map(async (ping) => {
    const [output] = await Promise.all([text(ping.stdout), once(ping, 'exit')])
    return output
  })
  const running = () => pings.some(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
  let turns = 0
  for (; running(); turns++) {
    const [from, to]: [Form, Form] = turns % 2 === 0 ? ['rules', 'map'] : ['map', 'rules']
    await change(from, to)
    await setImmediate()
  }
  for (const output of await Promise.all(ended)) expect(output).toContain('1500 packets transmitted, 1500 received')
  expect(turns).toBeGreaterThan(10)
})

test('a plan for another pod is no replacement', async () => {
  await expect(kernel.replace(podIn('rules'), { ...podIn('map'), podNetns: host.path })).rejects.toMatchObject({
    code: 'invalid',
  })
})

describe('marks', () => {
  /** One mark: the pod has one address. */
  const mapForm = (): NetworkPlan => planPod(only('ipv4', attachment()), hostOf('map'))
  const sources = () => run(host, 'nft', 'list', 'ruleset')

  beforeEach(() => {
    kernel.apply(nodeIn('map'))
    kernel.apply(mapForm())
  })

  test('are compared one by one', async () => {
    expect(kernel.compare(mapForm()).at(-1)).toEqual({
      netns: 'host',
      object: 'mark',
      subject: 'from 10.0.1.7 mark 0x00100000',
    })
    const other = { ...mapForm(), marks: [{ netns: 'host' as const, source: ADDRESS, mark: 0x0020_0000 }] }
    expect(kernel.verify(other)).toEqual([
      {
        ...{ netns: 'host', object: 'mark', subject: 'from 10.0.1.7 mark 0x00200000' },
        ...{ problem: 'different', found: 'mark 0x00100000' },
      },
    ])
    expect(kernel.repair(other)).toHaveLength(1)
    expect(kernel.verify(other)).toEqual([])
    await kernel.remove(other)
    expect(sources()).toBe('')
  })

  test('come back when the whole ruleset was flushed', () => {
    run(host, 'nft', 'flush', 'ruleset')
    const found = kernel.repair(mapForm())
    expect(found).toContainEqual(expect.objectContaining({ object: 'mark', problem: 'missing' }))
    expect(kernel.verify(mapForm())).toEqual([])
    expect(run(pod, 'ping', '-c', '1', '-W', '2', FAR[0])).toContain('1 received')
  })

  test('of many plans come back in one go', () => {
    const second = networkPlan({ marks: [{ netns: 'host', source: parseIp('10.0.1.8'), mark: MARK }] })
    kernel.apply(second)
    run(host, 'nft', 'delete', 'table', 'inet', 'terway_routing')
    kernel.repairMarks([mapForm(), second])
    expect(kernel.verifyAll([mapForm(), second])).toEqual([[], []])
  })

  test('what is wrong with the table is named', () => {
    run(host, 'nft', 'flush', 'chain', 'inet', 'terway_routing', 'prerouting')
    const [table] = kernel.verify(mapForm())
    expect(table).toMatchObject({ object: 'mark', subject: 'table inet terway_routing', problem: 'different' })
    kernel.repair(mapForm())
    expect(kernel.verify(mapForm())).toEqual([])
  })
})
