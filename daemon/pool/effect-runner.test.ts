/** What the runner does when effects fail, come late or are cut off, against the simulated cloud in virtual time. */
import { describe, expect, test } from '@jest/globals'
import { parseLinkName } from '../../inet/link-name.ts'
import { EffectBench, LATENCIES } from '../../test/pool/effect-bench.ts'
import type { Change, EniKey, Owner } from './model.ts'

/** A shared ENI in use. */
async function withEni(bench: EffectBench, secondaryIps = 3): Promise<EniKey> {
  const key = bench.create('shared', { secondaryIps })
  await bench.settle()
  bench.calls()
  return key
}

describe('one at a time', () => {
  test('both families are assigned, and neither meets the other', async () => {
    const bench = new EffectBench()
    const key = await withEni(bench)
    bench.assign(key, 'ipv4', 2)
    bench.assign(key, 'ipv6', 2)
    expect(await bench.settle()).toBe(2 * LATENCIES.assign)
    expect(bench.calls()).toEqual({ AssignPrivateIpAddresses: 1, AssignIpv6Addresses: 1 })
    expect(bench.actual()).toEqual(bench.recorded())
  })

  test('what pods may need goes before what is given back', async () => {
    const bench = new EffectBench()
    const key = await withEni(bench)
    bench.unassign(key)
    await bench.time.run(1)
    bench.assign(key, 'ipv4', 2)
    bench.assign(key, 'ipv4', 1)
    await bench.settle()
    expect(bench.region.answered.slice(-3).map(({ action }) => action)).toEqual([
      'UnassignPrivateIpAddresses',
      'AssignPrivateIpAddresses',
      'AssignPrivateIpAddresses',
    ])
    expect(bench.actual()).toEqual(bench.recorded())
  })

  test('an ENI that was drained while it was given addresses gets them, and gives them back', async () => {
    const bench = new EffectBench()
    const key = await withEni(bench)
    bench.assign(key, 'ipv4', 2)
    bench.rephase(key, 'draining')
    await bench.settle()
    expect(bench.actual()).toEqual(bench.recorded())
    expect([...bench.tables.addressesOf(key)]).toHaveLength(6)
    bench.unassign(key)
    await bench.settle()
    expect(bench.actual()).toEqual(bench.recorded())
  })
})

describe('what changes while a call is on its way', () => {
  test('an address that has arrived on another ENI before its unassignment was answered stays there', async () => {
    const bench = new EffectBench()
    const one = await withEni(bench)
    const other = await withEni(bench, 0)
    const left = bench.eni(one).secondaryIps
    bench.region.fault({ select: { action: 'UnassignPrivateIpAddresses', nth: 1 }, effect: { delay: 5_000 } })
    bench.unassign(one)
    await bench.time.run(LATENCIES.unassign)
    bench.assign(other, 'ipv4', 3)
    await bench.settle()
    expect(bench.eni(other).secondaryIps).toEqual(left)
    expect(bench.actual()).toEqual(bench.recorded())
  })

  test('what an assignment brings that was given up is not taken for the ENI’s', async () => {
    const bench = new EffectBench()
    const key = await withEni(bench)
    const token = bench.assign(key, 'ipv4', 2)
    await bench.time.run(LATENCIES.assign / 2)
    bench.commit([{ kind: 'drop-assign', token }])
    await bench.settle()
    expect([...bench.tables.addressesOf(key)]).toHaveLength(4)
  })

  test('an ENI that was lost while it was attached stays lost', async () => {
    const bench = new EffectBench()
    const key = bench.create('shared')
    await bench.time.run(LATENCIES.create + LATENCIES.attach / 2)
    bench.rephase(key, 'lost')
    await bench.settle()
    expect([bench.phaseOf(key), bench.ready.has(key), bench.runner.problems]).toEqual(['lost', false, []])
  })
})

describe('failures', () => {
  test('an assignment that cannot be is given up by itself; others go on', async () => {
    const bench = new EffectBench({
      region: {
        vSwitches: [
          { id: 'vsw-sim-h', zone: 'cn-sim-h', cidr: '10.0.1.0/24' },
          { id: 'vsw-sim-i', zone: 'cn-sim-i', cidr: '10.0.2.0/24' },
        ],
      },
    })
    const key = await withEni(bench)
    bench.assign(key, 'ipv6', 1)
    bench.assign(key, 'ipv4', 2)
    await bench.settle()
    expect(bench.gaveUp).toEqual([
      expect.stringContaining('ipv6: AssignIpv6Addresses failed with InvalidVSwitch.Ipv6NotTurnOn'),
    ])
    expect([...bench.tables.addressesOf(key)]).toHaveLength(6)
    expect(bench.actual()).toEqual(bench.recorded())
  })

  test('what cannot be given back is tried for ever, and the ENI is used meanwhile', async () => {
    const bench = new EffectBench()
    const key = await withEni(bench)
    bench.region.fault({
      select: { action: 'UnassignPrivateIpAddresses', for: 300_000 },
      effect: { error: 'InvalidOperation.InvalidEniState' },
    })
    bench.unassign(key)
    await bench.time.run(200_000)
    expect([bench.runner.failed.size, bench.runner.problems.length, bench.gaveUp]).toEqual([0, 1, []])
    bench.assign(key, 'ipv4', 2)
    await bench.time.run(LATENCIES.assign)
    expect(bench.tables.tally(key, 'ipv4')).toMatchObject({ warm: 3, unassigning: 3 })
    await bench.settle()
    expect(bench.actual()).toEqual(bench.recorded())
  })

  test('pauses grow: ten minutes of failures are no more than twenty calls', async () => {
    const bench = new EffectBench()
    bench.region.fault({
      select: { action: 'CreateNetworkInterface', for: 600_000 },
      effect: { error: 'InternalError' },
    })
    const key = bench.create('shared')
    await bench.time.run(10_000)
    expect([bench.runner.failed.has(key), bench.runner.stumbling.has(key)]).toEqual([true, false])
    await bench.settle(1_200_000)
    expect(bench.calls().CreateNetworkInterface).toBeLessThanOrEqual(20)
    expect(bench.actual()).toEqual(bench.recorded())
  })

  test('a first failure is a stumble', async () => {
    const bench = new EffectBench()
    bench.region.fault({ select: { nth: 1 }, effect: { error: 'InternalError' } })
    const key = bench.create('shared')
    await bench.time.run(LATENCIES.create)
    expect([bench.runner.failed.has(key), bench.runner.stumbling.has(key)]).toEqual([true, true])
    await bench.settle()
    expect(bench.phaseOf(key)).toBe('in-use')
  })

  test('a denied call is told of as what others would meet', async () => {
    const bench = new EffectBench()
    bench.region.fault({ select: { nth: 1 }, effect: { error: 'Forbidden.RAM' } })
    bench.create('shared')
    await bench.settle()
    expect(bench.gaveUp).toEqual([expect.stringContaining('Forbidden.RAM')])
  })

  test('an ENI with pods is never given back, whatever its record says', async () => {
    const bench = new EffectBench()
    const key = await withEni(bench)
    const [address] = [...bench.tables.addressesOf(key)]
    if (address === undefined) throw new Error('it has no address')
    const owned: Change = { kind: 'put-address', address: { ...address, phase: 'owned', owner: 'pod/eth0' as Owner } }
    bench.commit([owned])
    bench.rephase(key, 'detaching')
    await bench.time.run(120_000)
    expect(bench.calls()).toEqual({})
    expect(bench.runner.problems).toEqual([expect.stringContaining('1 pods have addresses of it')])
    expect(bench.eni(key).state.status).toBe('InUse')
  })
})

describe('an ENI that is late', () => {
  test('counts as slow after three times the usual, until it is there', async () => {
    let isPlugged = false
    const bench: EffectBench = new EffectBench({
      links: { find: () => (isPlugged ? { name: parseLinkName('eth1'), ifindex: 11 } : undefined) },
      linkTimeout: 60_000,
    })
    const key = bench.create('shared')
    await bench.time.run(LATENCIES.create + 13_400)
    expect(bench.runner.slow.size).toBe(0)
    await bench.time.run(200)
    expect([...bench.runner.slow]).toEqual([key])
    isPlugged = true
    await bench.settle()
    expect([bench.phaseOf(key), bench.runner.slow.size]).toEqual(['in-use', 0])
  })

  test('whose link never comes is given up, and goes', async () => {
    const bench = new EffectBench({ links: { find: () => undefined } })
    bench.create('shared')
    await bench.settle()
    expect(bench.gaveUp).toEqual([expect.stringContaining('no link with MAC')])
    expect([bench.tables.enis.size, bench.actual()]).toEqual([0, []])
  })
})

describe('a process that dies', () => {
  /** At each of so many moments of one life of an ENI. */
  const MOMENTS = Array.from({ length: 30 }, (_, index) => 150 + index * 400)

  test.each(MOMENTS)('after %i ms leaves nothing that the next one does not end', async (moment) => {
    const bench = new EffectBench()
    const key = bench.create('shared', { secondaryIps: 3, ipv6s: 2, ipv4Prefixes: 1 })
    const script = (async () => {
      await bench.process.sleep(6_000)
      bench.assign(key, 'ipv4', 2)
      bench.assign(key, 'ipv6-prefix', 1)
      await bench.process.sleep(1_500)
      bench.unassign(key)
      await bench.process.sleep(1_500)
      bench.rephase(key, 'detaching')
    })()
    void script
    await bench.time.run(moment)
    bench.restart()
    await bench.settle()
    expect(bench.actual()).toEqual(bench.recorded())
    expect(bench.actual().length).toBeLessThanOrEqual(1)
    if (bench.tables.enis.size > 0) {
      bench.rephase(key, 'detaching')
      await bench.settle()
    }
    expect([bench.actual(), bench.tables.assigns.size]).toEqual([[], 0])
  })
})
