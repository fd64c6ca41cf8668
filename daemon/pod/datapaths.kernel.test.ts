/** How pods are connected, changed from one form to the other, and what ADD says when that cannot be. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import { supportsLinkKind } from '../../netlink/probe.ts'
import { ip, ipJson, run } from '../../test/kernel/namespaces.ts'
import { ENI_KEY, ENI_MAC, PodsUnderTest } from '../../test/kernel/pods-under-test.ts'
import { Sweep } from './sweep.ts'

let node: PodsUnderTest | undefined

afterEach(async () => {
  await node?.end()
  node = undefined
})

async function started(...options: ConstructorParameters<typeof PodsUnderTest>): Promise<PodsUnderTest> {
  node = new PodsUnderTest(...options)
  await node.start()
  return node
}

/** The VPC behind the ENI: it answers for the gateway, and sends what is for pods to the ENI. */
function connectVpc({ namespaces, netns }: PodsUnderTest): void {
  const vpc = namespaces.create('vpc')
  ip(netns, 'link', 'set', 'vpc', 'netns', vpc.path.slice(vpc.path.lastIndexOf('/') + 1))
  ip(vpc, 'link', 'set', 'vpc', 'up')
  ip(vpc, 'address', 'add', '10.9.0.253/24', 'dev', 'vpc')
  for (let i = 1; i <= 20; i++) {
    ip(vpc, 'neigh', 'add', `10.9.0.${i}`, 'lladdr', ENI_MAC, 'dev', 'vpc', 'nud', 'permanent')
  }
}

/** A ping every 2 ms until it is ended; then what it has sent and what has come back. */
class Pings {
  readonly #child: ChildProcess
  #text = ''

  constructor(netns: string) {
    const name = netns.slice(netns.lastIndexOf('/') + 1)
    this.#child = spawn('ip', ['netns', 'exec', name, 'ping', '-n', '-i', '0.002', '10.9.0.253'])
    this.#child.stdout?.on('data', (data: Buffer) => {
      this.#text += data.toString()
    })
  }

  /** So many more. */
  async answered(count: number): Promise<void> {
    const goal = this.#answers + count
    const deadline = AbortSignal.timeout(5_000)
    while (this.#answers < goal) await setTimeout(5, undefined, { signal: deadline })
  }

  get #answers(): number {
    return this.#text.split('bytes from').length - 1
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'close')
    if (this.#child.exitCode === null && this.#child.kill('SIGINT')) await ended
  }

  async end(): Promise<{ sent: number; received: number }> {
    await this[Symbol.asyncDispose]()
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(this.#text) ?? []
    return { sent: Number(sent), received: Number(received) }
  }
}

const marksOf = (one: PodsUnderTest) => run(one.netns, 'nft', 'list', 'ruleset')

describe('a running pod follows its node', () => {
  test('from rules to marks and back, and loses no packet', async () => {
    const one = await started('tw-dp-')
    connectVpc(one)
    await one.restart({ policyRoute: 'rules' })
    const pod = one.namespaces.create('pod')
    const { ips } = await one.add({ netns: pod.path })
    await new Sweep(one.context).run()
    const byRules = one.rules()
    expect(byRules).toHaveLength(2)
    expect(marksOf(one)).toBe('')
    await using pings = new Pings(pod.path)
    await pings.answered(10)
    for (const policyRoute of ['map', 'rules'] as const) {
      await one.restart({ policyRoute })
      await new Sweep(one.context).run()
      await pings.answered(10)
      await one.check({ netns: pod.path })
      if (policyRoute === 'rules') break
      expect(one.rules().map((rule) => rule.replace(/.*from/, 'from'))).toEqual([
        'from all lookup 1000',
        expect.stringMatching(/^from all fwmark 0x100000\/0xff00000 lookup 10\d\d$/),
      ])
      expect(marksOf(one)).toContain(String(ips[0]?.address).replace('/32', ''))
    }
    expect(one.rules()).toEqual(byRules)
    expect(marksOf(one)).toBe('')
    const { sent, received } = await pings.end()
    expect(sent).toBeGreaterThan(20)
    expect(received).toBe(sent)
  })

  test('an upgraded one too, whose plan says nothing of what it was made from', async () => {
    const one = await started('tw-dp-')
    await one.restart({ policyRoute: 'rules' })
    const pod = one.namespaces.create('pod')
    await one.add({ netns: pod.path })
    await one.stop()
    const db = new DatabaseSync(`${one.directory}/journal.db`)
    db.exec(`UPDATE endpoints SET record = json_remove(record, '$.attachment')`)
    db.close()
    await one.start({ policyRoute: 'map' })
    await new Sweep(one.context).run()
    await one.check({ netns: pod.path })
    expect(one.rules().filter((rule) => rule.includes('10.9.0.'))).toEqual([])
    expect(one.context.endpoints.all()[0]?.attachment?.datapath).toBe('policy-route')
  })

  test('and what a crash has left half changed is finished by the next start', async () => {
    const one = await started('tw-dp-')
    await one.restart({ policyRoute: 'rules' })
    const pod = one.namespaces.create('pod')
    await one.add({ netns: pod.path })
    const before = one.context.endpoints.all()[0]
    await one.restart({ policyRoute: 'map' })
    await new Sweep(one.context).run()
    const after = one.context.endpoints.all()[0]
    if (before?.plan === undefined || after === undefined) throw new Error('the pod is not on record')
    // As it is when the new form is there, and the old one too.
    one.context.endpoints.put({ ...after, replaced: before.plan })
    one.context.kernel.apply(before.plan)
    await one.restart()
    await new Sweep(one.context).run()
    expect(one.rules().filter((rule) => rule.includes('10.9.0.'))).toEqual([])
    expect(one.context.endpoints.all()[0]?.replaced).toBeUndefined()
    await one.check({ netns: pod.path })
  })
})

test('the mark of an ENI is the same after a restart, also when its rules were flushed', async () => {
  const one = await started('tw-dp-')
  const pod = one.namespaces.create('pod')
  await one.add({ netns: pod.path })
  const rules = one.rules()
  await one.stop()
  for (const priority of ['512', '2048']) ip(one.netns, 'rule', 'del', 'priority', priority)
  await one.start()
  await new Sweep(one.context).run()
  expect(one.rules()).toEqual(rules)
  await one.check({ netns: pod.path })
})

test('a table of marks that was lost while the daemon was away is there again with all its pods', async () => {
  const one = await started('tw-dp-')
  for (const name of ['a', 'b']) {
    await one.add({ containerId: name, pod: name, netns: one.namespaces.create(name).path })
  }
  const marks = marksOf(one)
  await one.stop()
  run(one.netns, 'nft', 'flush', 'ruleset')
  await one.start()
  expect(marksOf(one)).toBe(marks)
})

test('marks of addresses that nobody has are removed by the sweep', async () => {
  const one = await started('tw-dp-')
  const pod = one.namespaces.create('pod')
  await one.add({ netns: pod.path })
  const marks = marksOf(one)
  run(one.netns, 'nft', 'add', 'element', 'inet', 'terway_routing', 'pods4', '{ 10.9.0.77 : jump mark_0x00100000 }')
  expect(marksOf(one)).not.toBe(marks)
  const { findings } = await new Sweep(one.context).run()
  expect(findings.map(({ message }) => message)).toEqual(['1 marks of addresses that no pod has'])
  expect(marksOf(one)).toBe(marks)
})

test('CHECK names what the node lacks for all pods of an ENI', async () => {
  const one = await started('tw-dp-')
  const pod = one.namespaces.create('pod')
  await one.add({ netns: pod.path })
  ip(one.netns, 'rule', 'del', 'priority', '2048')
  await expect(one.check({ netns: pod.path })).rejects.toMatchObject({
    code: 103,
    message: expect.stringMatching(/rule 2048:.*fwmark.* on the node is missing/),
  })
})

test('a pod has an address of each family, and both answer', async () => {
  node = new PodsUnderTest('tw-dp-')
  const one = node
  await one.start({ families: ['ipv4', 'ipv6'] })
  const before = one.traces()
  const pod = one.namespaces.create('pod')
  const { ips, routes } = await one.add({ netns: pod.path })
  expect(ips.map(({ address }) => address)).toEqual(['10.9.0.1/32', 'fd09::1/128'])
  expect(routes).toEqual([
    { dst: '0.0.0.0/0', gw: '169.254.1.1' },
    { dst: '::/0', gw: 'fe80::1' },
  ])
  run(one.netns, 'ping', '-c1', '-W2', '10.9.0.1')
  run(one.netns, 'ping', '-6', '-c1', '-W2', 'fd09::1')
  await one.check({ netns: pod.path })
  expect(one.context.endpoints.all()[0]).toMatchObject({ ip: '10.9.0.1', ip6: 'fd09::1' })
  await one.del({})
  await one.context.removals.settled()
  expect(one.traces()).toEqual(before)
})

test('a second interface answers by its own way, and so does the first from then on', async () => {
  const one = await started('tw-dp-')
  const pod = one.namespaces.create('pod')
  await one.add({ netns: pod.path })
  const rulesIn = () =>
    ip(pod, 'rule')
      .split('\n')
      .filter((line) => line.startsWith('512:'))
  expect(rulesIn()).toEqual([])
  await one.add({ netns: pod.path, ifname: 'eth1' })
  const sources = rulesIn().filter((line) => line.includes('from 10.9.0.'))
  expect(sources).toHaveLength(2)
  await one.check({ netns: pod.path })
  await one.check({ netns: pod.path, ifname: 'eth1' })
})

describe('an ENI of the pod’s own', () => {
  const ethernet = (one: PodsUnderTest) => ipJson(one.netns, 'link').filter(({ address }) => address === ENI_MAC)

  test('is in the pod, comes back with DEL, and is there for the next one', async () => {
    const one = await started('tw-dp-', 'exclusive')
    for (let round = 0; round < 2; round++) {
      const pod = one.namespaces.create(`pod${round}`)
      await one.add({ netns: pod.path })
      expect(ethernet(one)).toEqual([])
      expect(ipJson(pod, 'link', 'show', 'eth0')[0]).toMatchObject({ address: ENI_MAC })
      await one.check({ netns: pod.path })
      await one.del({})
      await one.context.removals.settled()
      expect(ethernet(one).map(({ ifname }) => ifname)).toEqual(['eth1'])
      expect(one.podLinks()).toEqual([])
    }
  })

  test('comes back also when a restart lies between', async () => {
    const one = await started('tw-dp-', 'exclusive')
    const pod = one.namespaces.create('pod')
    await one.add({ netns: pod.path })
    await one.restart()
    await new Sweep(one.context).run()
    await one.check({ netns: pod.path })
    await one.del({})
    await one.context.removals.settled()
    expect(ethernet(one)).toHaveLength(1)
  })

  test('that has vanished fails the ADD, which can be tried again, and is not given away meanwhile', async () => {
    const one = await started('tw-dp-', 'exclusive')
    const pod = one.namespaces.create('pod')
    ip(one.netns, 'link', 'del', 'eth1')
    await expect(one.add({ netns: pod.path })).rejects.toMatchObject({ code: 11, reason: 'eni-gone' })
    expect([one.podLinks(), one.context.endpoints.all()]).toEqual([[], []])
    expect(one.pool.readyEni(ENI_KEY)).toBeUndefined()
  })
})

describe('ADD says why a pod cannot be as it is asked for:', () => {
  test('an MTU larger than that of the ENI', async () => {
    const one = await started('tw-dp-')
    const pod = one.namespaces.create('pod')
    await expect(one.add({ netns: pod.path, conf: { mtu: 9000 } })).rejects.toMatchObject({
      ...{ code: 7, reason: 'network-invalid' },
      message: expect.stringMatching(/default\/web: .*9000.*1500/),
    })
    expect([one.podLinks(), one.context.endpoints.all()]).toEqual([[], []])
  })

  const withoutIpvlan = supportsLinkKind('ipvlan') ? test.skip : test
  withoutIpvlan('a datapath that the kernel has not got', async () => {
    const one = await started('tw-dp-')
    const before = one.traces()
    const pod = one.namespaces.create('pod')
    await expect(one.add({ netns: pod.path, conf: { eniip_virtual_type: 'IPVlan' } })).rejects.toMatchObject({
      ...{ code: 102, reason: 'kernel-unsupported' },
      message: expect.stringContaining('ipvlan'),
    })
    expect([one.traces(), one.context.endpoints.all()]).toEqual([before, []])
  })
})
