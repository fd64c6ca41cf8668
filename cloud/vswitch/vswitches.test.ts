/** The node's vSwitches against a VPC whose answers are counted and can be held back. */
import { beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ScriptedTransport } from '../../test/transport/scripted-transport.ts'
import { CloudError } from '../error.ts'
import { parseCloudId, type VpcId, type VSwitchId, type ZoneId } from '../ids.ts'
import { createVpc } from '../vpc.ts'
import { VSWITCH_POLICIES, type VSwitchPolicy } from './choose.ts'
import { VSwitches } from './vswitches.ts'

const HERE = parseCloudId<ZoneId>('cn-sim-h')
const VPC = parseCloudId<VpcId>('vpc-1')
const id = (name: string) => parseCloudId<VSwitchId>(`vsw-${name}`)
const [A, B, C] = [id('a'), id('b'), id('c')]
const MINUTE = 60_000

interface Known {
  ips: number
  zone: string
  /** The node's unless given. */
  vpc?: VpcId
}

let vpc: Map<string, Known>
let away: boolean
let now: number
let random: number
let reported: string[]
let scripted: ScriptedTransport
/** Calls while it is set wait for it. */
let gate: Promise<void> | undefined

beforeEach(reset)

function reset(): void {
  vpc = new Map([
    ['vsw-a', { ips: 50, zone: HERE }],
    ['vsw-b', { ips: 80, zone: HERE }],
    ['vsw-c', { ips: 90, zone: 'cn-sim-i' }],
  ])
  away = false
  now = 0
  random = 0.5
  reported = []
  gate = undefined
  scripted = new ScriptedTransport(({ action, query }) => {
    if (away) return new CloudError('away', { action, code: 'Network' })
    const found = [...vpc]
      .filter(([name]) => query.VSwitchId === undefined || query.VSwitchId === name)
      .filter(([, { zone }]) => query.ZoneId === undefined || query.ZoneId === zone)
      .filter(([, { vpc: of = VPC }]) => query.VpcId === undefined || query.VpcId === of)
    const VSwitch = found.map(([VSwitchId, { ips, zone, vpc: of = VPC }]) => ({
      ...{ VSwitchId, VpcId: of, ZoneId: zone, CidrBlock: '10.0.1.0/24', AvailableIpAddressCount: ips },
    }))
    return { VSwitches: { VSwitch }, TotalCount: VSwitch.length }
  })
}

function open(allowed: readonly VSwitchId[], policy?: VSwitchPolicy): VSwitches {
  const cloud = createVpc(async (call, options) => {
    const answer = await scripted.transport(call, options)
    await gate
    return answer
  })
  return new VSwitches({
    ...{ cloud, vpcId: VPC, zone: HERE, allowed, now: () => now, random: () => random },
    ...(policy === undefined ? {} : { policy }),
    report: (problem) => reported.push(problem),
  })
}

const set = (name: string, ips: number) => vpc.set(name, { ips, zone: HERE })
const lookups = () => scripted.sent.length

describe('lookups', () => {
  test('one vSwitch is asked for by its id, several by one listing of the zone', async () => {
    await open([A]).choose(1)
    expect(scripted.sent.map(([, { VSwitchId, ZoneId }]) => [VSwitchId, ZoneId])).toEqual([['vsw-a', undefined]])
    scripted.sent.length = 0
    await open([A, B]).choose(1)
    expect(scripted.sent.map(([, { VSwitchId, VpcId, ZoneId }]) => [VSwitchId, VpcId, ZoneId])).toEqual([
      [undefined, VPC, HERE],
    ])
  })

  test('a choice within a minute asks for nothing, a later one again', async () => {
    const vSwitches = open([A, B])
    await vSwitches.choose(1)
    now = MINUTE - 1
    await vSwitches.choose(1)
    expect(lookups()).toBe(1)
    now = MINUTE
    await vSwitches.choose(1)
    expect(lookups()).toBe(2)
  })

  test('a hundred choices and facts at once share a lookup', async () => {
    const vSwitches = open([A, B])
    await Promise.all([
      ...Array.from({ length: 100 }, () => vSwitches.choose(1)),
      ...Array.from({ length: 100 }, () => vSwitches.facts(B)),
    ])
    expect(lookups()).toBe(1)
  })

  test('facts do not age', async () => {
    const vSwitches = open([A])
    await vSwitches.facts(B)
    now = 1_000 * MINUTE
    expect(await vSwitches.facts(B)).toMatchObject({ id: B, cidr: '10.0.1.0/24' })
    expect(lookups()).toBe(1)
  })

  test('a pod that waits is told to the budget', async () => {
    await open([A]).choose(1, 'pod')
    expect(scripted.options).toMatchObject([{ priority: 'pod' }])
  })

  test('while the API is away the last answer counts; without one its error does', async () => {
    const vSwitches = open([A, B])
    away = true
    await expect(vSwitches.choose(1)).rejects.toMatchObject({ code: 'Network' })
    away = false
    await vSwitches.choose(1)
    away = true
    now = 5 * MINUTE
    expect((await vSwitches.choose(1))?.id).toBe(A)
  })
})

describe('a burst', () => {
  test('spreads by our own count before the cloud tells it', async () => {
    const vSwitches = open([A, B], 'most')
    const chosen = await Promise.all(Array.from({ length: 5 }, () => vSwitches.choose(15)))
    // 80/50, 65/50, 50/50, 50/35, 35/35
    expect(chosen.map((vSwitch) => vSwitch?.id)).toEqual([B, B, A, B, A])
    expect(chosen.map((vSwitch) => vSwitch?.availableIps)).toEqual([80, 65, 50, 50, 35])
    expect(lookups()).toBe(1)
  })

  test('counts what is assigned beside it', async () => {
    const vSwitches = open([A, B], 'most')
    await vSwitches.choose(1)
    vSwitches.take(B, 60)
    vSwitches.take(id('unknown'), 60)
    expect((await vSwitches.choose(1))?.id).toBe(A)
  })

  test('that has used up all by our count looks before it gives up: creations fail and addresses come back', async () => {
    const vSwitches = open([A])
    await vSwitches.choose(50)
    set('vsw-a', 20)
    expect(await vSwitches.choose(15)).toMatchObject({ id: A, availableIps: 20 })
    expect(lookups()).toBe(2)
    expect(vSwitches.allEmpty).toBe(false)
  })
})

describe('a full vSwitch', () => {
  test('is set aside, and the next one is taken at once', async () => {
    const vSwitches = open([A, B])
    await vSwitches.choose(1)
    vSwitches.setAside(A)
    expect([...vSwitches.empty]).toEqual([A])
    expect((await vSwitches.choose(1))?.id).toBe(B)
    expect(lookups()).toBe(1)
  })

  test('is set aside by the answer that says so', async () => {
    set('vsw-a', 0)
    const vSwitches = open([A, B])
    expect((await vSwitches.choose(1))?.id).toBe(B)
    expect([...vSwitches.empty]).toEqual([A])
    expect(reported).toEqual([])
  })

  test('all of them: none is chosen, nothing is asked, and it is said', async () => {
    set('vsw-a', 0)
    set('vsw-b', 0)
    const vSwitches = open([A, B])
    expect(await vSwitches.choose(1)).toBeUndefined()
    expect(vSwitches.allEmpty).toBe(true)
    expect(await vSwitches.choose(1)).toBeUndefined()
    expect(lookups()).toBe(1)
    expect(vSwitches.problems).toEqual(['vsw-a has no free address', 'vsw-b has no free address'])
  })

  test.each([
    [0, 540_000],
    [0.5, 600_000],
    [0.999, 659_880],
  ])('is looked at after ten minutes or so (random %f): one lookup, and stays or comes back', async (value, wait) => {
    random = value
    const vSwitches = open([A, B])
    vSwitches.setAside(A)
    expect(vSwitches.nextTry).toBe(wait)
    now = wait - 1
    await vSwitches.probe()
    expect(lookups()).toBe(0)
    now = wait
    set('vsw-a', 0)
    await vSwitches.probe()
    expect(lookups()).toBe(1)
    expect(vSwitches.nextTry).toBe(2 * wait)
    now = 2 * wait
    set('vsw-a', 3)
    await vSwitches.probe()
    expect(vSwitches.empty.size).toBe(0)
    expect(vSwitches.nextTry).toBeUndefined()
    expect((await vSwitches.choose(1))?.id).toBe(A)
  })

  test('is not looked at twice at once, and what is being looked at is no reason to wake', async () => {
    const vSwitches = open([A, B])
    vSwitches.setAside(A)
    now = 10 * MINUTE
    const opened = Promise.withResolvers<void>()
    gate = opened.promise
    const probes = [vSwitches.probe(), vSwitches.probe()]
    expect(vSwitches.nextTry).toBeUndefined()
    opened.resolve()
    await Promise.all(probes)
    expect(lookups()).toBe(1)
  })

  test('stays aside while the API is away, and is looked at again soon', async () => {
    const vSwitches = open([A])
    vSwitches.setAside(A)
    now = 10 * MINUTE
    away = true
    await vSwitches.probe()
    expect([...vSwitches.empty]).toEqual([A])
    expect(vSwitches.nextTry).toBe(now + MINUTE / 2)
  })

  test('that fills up while an older answer is on its way stays aside', async () => {
    const vSwitches = open([A, B])
    const opened = Promise.withResolvers<void>()
    gate = opened.promise
    const choice = vSwitches.choose(1)
    vSwitches.setAside(A)
    opened.resolve()
    expect((await choice)?.id).toBe(B)
    expect([...vSwitches.empty]).toEqual([A])
  })
})

describe('a vSwitch that is configured in vain', () => {
  test('one of another zone is skipped, told of once, and never asked for again', async () => {
    const vSwitches = open([C, A])
    for (now = 0; now < 5 * MINUTE; now += MINUTE) expect((await vSwitches.choose(1))?.id).toBe(A)
    expect(reported).toEqual(['vsw-c is in cn-sim-i and not used: ENIs of this node must be in cn-sim-h'])
    expect(scripted.sent.filter(([, { VSwitchId }]) => VSwitchId === 'vsw-c')).toHaveLength(1)
    expect(vSwitches.problems).toEqual(reported)
  })

  test('one of another VPC, though of this zone, is skipped and told of', async () => {
    vpc.set('vsw-d', { ips: 200, zone: HERE, vpc: parseCloudId<VpcId>('vpc-2') })
    const vSwitches = open([id('d'), A])
    expect((await vSwitches.choose(1))?.id).toBe(A)
    expect(reported).toEqual(['vsw-d is in vpc-2 and not used: ENIs of this node must be in vpc-1'])
    expect(await open([id('d')]).choose(1)).toBeUndefined()
  })

  test('one that has vanished is skipped, told of once, and looked for again after a while', async () => {
    const vSwitches = open([A, B])
    await vSwitches.choose(1)
    vpc.delete('vsw-a')
    now = MINUTE
    expect((await vSwitches.choose(1))?.id).toBe(B)
    expect(reported).toEqual([expect.stringMatching(/^vsw-a does not exist.*eni_conf/)])
    now += 11 * MINUTE
    await vSwitches.probe()
    expect(reported).toHaveLength(1)
    set('vsw-a', 5)
    now += 11 * MINUTE
    await vSwitches.probe()
    expect((await vSwitches.choose(1))?.id).toBe(A)
  })

  test('none that is right: none is chosen', async () => {
    const vSwitches = open([C, id('none')])
    expect(await vSwitches.choose(1)).toBeUndefined()
    expect(vSwitches.allEmpty).toBe(true)
    expect(reported).toHaveLength(2)
    await expect(vSwitches.facts(id('none'))).rejects.toMatchObject({ code: 'InvalidVSwitchId.NotFound' })
  })
})

describe('a vSwitch that is not configured, but has an ENI in it', () => {
  test('one that has vanished is neither told of nor set aside', async () => {
    const vSwitches = open([A])
    await expect(vSwitches.facts(id('none'))).rejects.toMatchObject({ code: 'InvalidVSwitchId.NotFound' })
    expect([reported, vSwitches.empty.size, vSwitches.nextTry]).toEqual([[], 0, undefined])
  })

  test('one that is full is not set aside by a look at its facts', async () => {
    set('vsw-b', 0)
    const vSwitches = open([A])
    expect(await vSwitches.facts(B)).toMatchObject({ id: B })
    expect([vSwitches.empty.size, vSwitches.nextTry]).toEqual([0, undefined])
  })

  test('one that the cloud has called full stays aside until it is not', async () => {
    set('vsw-b', 0)
    const vSwitches = open([A])
    vSwitches.setAside(B)
    now = 10 * MINUTE
    await vSwitches.probe()
    expect([...vSwitches.empty]).toEqual([B])
    set('vsw-b', 1)
    now = 20 * MINUTE
    await vSwitches.probe()
    expect(vSwitches.empty.size).toBe(0)
    vSwitches.setAside(B)
    vpc.delete('vsw-b')
    now = 30 * MINUTE
    await vSwitches.probe()
    expect([vSwitches.empty.size, reported]).toEqual([0, []])
  })
})

test('facts are taken in also from an answer that is too old for the number of free addresses', async () => {
  const vSwitches = open([A])
  const opened = Promise.withResolvers<void>()
  gate = opened.promise
  const facts = vSwitches.facts(A)
  vSwitches.setAside(A)
  opened.resolve()
  expect(await facts).toMatchObject({ id: A })
  expect([...vSwitches.empty]).toEqual([A])
})

describe('a clock that is set back', () => {
  const HOURS = 60 * MINUTE

  test('does not keep a vSwitch aside for longer', async () => {
    now = 8 * HOURS
    const vSwitches = open([A])
    vSwitches.setAside(A)
    now = 0
    expect(vSwitches.nextTry).toBe(0)
    await vSwitches.probe()
    expect(vSwitches.empty.size).toBe(0)
  })

  test('does not keep it aside after a look in vain', async () => {
    now = 8 * HOURS
    const vSwitches = open([A])
    vSwitches.setAside(A)
    away = true
    now = 0
    await vSwitches.probe()
    expect(vSwitches.nextTry).toBe(MINUTE / 2)
  })

  test('makes the number of free addresses an old one', async () => {
    now = 8 * HOURS
    const vSwitches = open([A])
    await vSwitches.choose(1)
    now = 0
    await vSwitches.choose(1)
    expect(lookups()).toBe(2)
    now = 1
    await vSwitches.choose(1)
    expect(lookups()).toBe(2)
  })
})

test('whatever happens, nothing is chosen that is set aside or in another zone', async () => {
  type Step = (vSwitches: VSwitches) => void | Promise<void>
  const name = fc.constantFrom('vsw-a', 'vsw-b', 'vsw-c', 'vsw-d')
  const choose = (count: number) => async (vSwitches: VSwitches) => {
    const before = vSwitches.empty
    const chosen = await vSwitches.choose(count).catch(() => undefined) // the API may be away
    if (chosen === undefined) return
    expect([before.has(chosen.id), vSwitches.empty.has(chosen.id)]).toEqual([false, false])
    expect(chosen.zoneId).toBe(HERE)
    expect(chosen.availableIps).toBeGreaterThan(0)
  }
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.integer({ min: 1, max: 30 }).map(choose),
    name.map((full) => (vSwitches: VSwitches) => vSwitches.setAside(parseCloudId<VSwitchId>(full))),
    fc.tuple(name, fc.integer({ min: 0, max: 60 })).map(([changed, ips]) => () => {
      vpc.set(changed, { ips, zone: changed === 'vsw-c' ? 'cn-sim-i' : HERE })
    }),
    fc.integer({ min: 1, max: 15 * MINUTE }).map((time) => (vSwitches: VSwitches) => {
      now += time
      return vSwitches.probe()
    }),
    fc.boolean().map((gone) => () => {
      away = gone
    }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.constantFrom(...VSWITCH_POLICIES), async (steps, policy) => {
      reset()
      const vSwitches = open([A, B, C, id('d')], policy)
      for (const take of steps) await take(vSwitches)
    }),
  )
})
