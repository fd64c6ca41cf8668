import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Ipv4, parseIpv4, parseMac } from '../../inet/address.ts'
import { createNamedNetns, listNamedNetns, warmThreadPool } from '../../netlink/netns.ts'
import { Guest, H, I, NODE_A, NODE_B, plug, SERVICE, VPC } from '../../test/simulator/fabric.ts'
import { ownPrefix, removeByPrefix } from '../../test/simulator/prefix.ts'
import type { EniId, NodeName } from '../region/ids.ts'
import { FabricError } from './error.ts'
import { cleanFabric, Fabric } from './fabric.ts'
import type { Plug } from './plug.ts'

const PREFIX = await ownPrefix('fabric')
const ip = (text: string): Ipv4 => parseIpv4(text)

const PRIMARY_A: Plug = { ...plug(1, NODE_A, H, '10.0.1.10'), kind: 'primary' }
const PRIMARY_B: Plug = { ...plug(2, NODE_B, I, '10.0.2.10'), kind: 'primary' }
const SECOND_A: Plug = { ...plug(3, NODE_A, H, '10.0.1.20'), ips: [ip('10.0.1.20'), ip('10.0.1.21')] }
const PRIMARIES = [PRIMARY_A, PRIMARY_B]

let fabric: Fabric

const exec = promisify(execFile)

function inNode(node: NodeName, ...argv: string[]): Promise<string> {
  return new Guest(fabric.netnsOf(node)).run(...argv)
}

function pings(node: NodeName, target: string, ...options: string[]): Promise<boolean> {
  return new Guest(fabric.netnsOf(node)).pings(target, ...options)
}

interface LinkJson {
  readonly ifname: string
  readonly address: string
  readonly mtu: number
  readonly flags: readonly string[]
}

async function linksOf(node: NodeName): Promise<readonly LinkJson[]> {
  const { stdout } = await exec('ip', ['-n', fabric.netnsOf(node), '-json', 'link'])
  return JSON.parse(stdout)
}

beforeAll(warmThreadPool)

beforeEach(async () => {
  fabric = await Fabric.start({ ...VPC, prefix: PREFIX })
})

afterEach(async () => {
  await fabric.stop()
  removeByPrefix(PREFIX)
})

describe('a primary ENI', () => {
  test('is configured as a guest would at boot, and reaches the other node and the services', async () => {
    await fabric.sync(PRIMARIES)
    expect((await linksOf(NODE_A)).map((link) => [link.ifname, link.address, link.mtu])).toEqual([
      ['lo', '00:00:00:00:00:00', 65536],
      ['eth0', '00:16:3e:00:00:01', 1500],
    ])
    expect(await pings(NODE_A, '10.0.2.10')).toBe(true)
    expect(await pings(NODE_B, '10.0.1.10')).toBe(true)
    expect(await pings(NODE_A, '10.0.1.253')).toBe(true)
    expect(await pings(NODE_A, SERVICE)).toBe(true)
    expect(await inNode(NODE_A, 'ip', 'neigh')).toContain('10.0.1.253 dev eth0 lladdr ee:ff:ff:ff:ff:ff')
  })
})

describe('a secondary ENI', () => {
  test('appears under the next name with its MAC, down and without an address', async () => {
    await fabric.sync([...PRIMARIES, SECOND_A])
    const link = (await linksOf(NODE_A)).find((candidate) => candidate.address === SECOND_A.mac)
    expect(link).toMatchObject({ ifname: 'eth1', mtu: 1500 })
    expect(link?.flags).not.toContain('UP')
    expect(await inNode(NODE_A, 'ip', '-o', '-4', 'address', 'show', 'dev', 'eth1')).toBe('')
  })

  test('takes the name that is free now, also when another ENI was moved away or renamed', async () => {
    await fabric.sync([...PRIMARIES, SECOND_A])
    await inNode(NODE_A, 'ip', 'link', 'set', 'eth1', 'name', 'pod7')
    const third = {
      ...SECOND_A,
      eniId: 'eni-sim00000004' as EniId,
      mac: parseMac('00:16:3e:00:00:04'),
      ips: [ip('10.0.1.30')],
    }
    await fabric.sync([...PRIMARIES, SECOND_A, third])
    expect((await linksOf(NODE_A)).map((link) => link.ifname).sort()).toEqual(['eth0', 'eth1', 'lo', 'pod7'])
  })

  test('carries its addresses to the other node and to its own vSwitch', async () => {
    await fabric.sync([...PRIMARIES, SECOND_A])
    await inNode(NODE_A, 'ip', 'address', 'add', '10.0.1.21/32', 'dev', 'eth1')
    await inNode(NODE_A, 'ip', 'link', 'set', 'eth1', 'up')
    // As a pod's packets: out of the ENI that holds the address.
    await inNode(NODE_A, 'ip', 'route', 'add', 'default', 'via', '10.0.1.253', 'dev', 'eth1', 'onlink', 'table', '7')
    await inNode(NODE_A, 'ip', 'rule', 'add', 'from', '10.0.1.21', 'table', '7')
    expect(await pings(NODE_A, '10.0.2.10', '-I', '10.0.1.21')).toBe(true)
    expect(await pings(NODE_B, '10.0.1.21')).toBe(true)
    const counters = (await fabric.counters()).get(SECOND_A.eniId)
    expect(counters).toMatchObject({ droppedSource: 0 })
    expect(counters?.txPackets).toBeGreaterThanOrEqual(2)
    expect(counters?.rxPackets).toBeGreaterThanOrEqual(2)
  })

  test('goes when it is unplugged, wherever it was moved to and whatever it was named', async () => {
    await fabric.sync([...PRIMARIES, SECOND_A])
    createNamedNetns(`${PREFIX}-pod`)
    await inNode(NODE_A, 'ip', 'link', 'set', 'eth1', 'netns', `${PREFIX}-pod`, 'name', 'eth0')
    await fabric.sync(PRIMARIES)
    const { stdout } = await exec('ip', ['-n', `${PREFIX}-pod`, '-o', 'link'])
    expect(stdout).not.toContain('eth0')
    expect([...(await fabric.counters()).keys()]).toEqual(PRIMARIES.map((plug) => plug.eniId))
  })

  test('may be gone already, and can move to another node and back', async () => {
    await fabric.sync([...PRIMARIES, SECOND_A])
    await inNode(NODE_A, 'ip', 'link', 'del', 'eth1')
    await fabric.sync([...PRIMARIES, { ...SECOND_A, node: NODE_B }])
    expect((await linksOf(NODE_B)).map((link) => link.address)).toContain(SECOND_A.mac)
    await fabric.sync([...PRIMARIES, SECOND_A])
    expect((await linksOf(NODE_A)).map((link) => link.address)).toContain(SECOND_A.mac)
  })
})

describe('addresses', () => {
  const withIps = (...ips: string[]): Plug[] => [{ ...PRIMARY_A, ips: ips.map(ip) }, PRIMARY_B]

  test('that are not assigned reach nobody, are reached by nobody, and are counted', async () => {
    await fabric.sync(PRIMARIES)
    await inNode(NODE_A, 'ip', 'address', 'add', '10.0.1.99/32', 'dev', 'eth0')
    expect(await pings(NODE_A, '10.0.2.10', '-I', '10.0.1.99', '-c', '3', '-i', '0.05')).toBe(false)
    expect(await pings(NODE_A, SERVICE, '-I', '10.0.1.99')).toBe(false)
    expect(await pings(NODE_B, '10.0.1.99')).toBe(false)
    const counters = await fabric.counters()
    expect(counters.get(PRIMARY_A.eniId)?.droppedSource).toBe(4)
    expect(counters.get(PRIMARY_B.eniId)?.droppedSource).toBe(0)
  })

  test('of another ENI cannot be used as a source', async () => {
    await fabric.sync(PRIMARIES)
    await inNode(NODE_A, 'ip', 'address', 'add', '10.0.2.10/32', 'dev', 'lo')
    expect(await pings(NODE_A, SERVICE, '-I', '10.0.2.10')).toBe(false)
    expect((await fabric.counters()).get(PRIMARY_A.eniId)?.droppedSource).toBe(1)
  })

  test('work from when they are assigned until they are not any more', async () => {
    await inNode(NODE_A, 'ip', 'address', 'add', '10.0.1.11/32', 'dev', 'lo')
    for (const assigned of [true, false, true]) {
      await fabric.sync(assigned ? withIps('10.0.1.10', '10.0.1.11') : withIps('10.0.1.10'))
      expect(await pings(NODE_B, '10.0.1.11')).toBe(assigned)
      expect(await pings(NODE_A, '10.0.2.10', '-I', '10.0.1.11')).toBe(assigned)
    }
  })

  test('move from one ENI to another in one step', async () => {
    await fabric.sync([{ ...PRIMARY_A, ips: [ip('10.0.1.10'), ip('10.0.1.11')] }, PRIMARY_B])
    await inNode(NODE_B, 'ip', 'address', 'add', '10.0.1.11/32', 'dev', 'lo')
    await fabric.sync([{ ...PRIMARY_B, ips: [ip('10.0.2.10'), ip('10.0.1.11')] }, PRIMARY_A])
    expect(await pings(NODE_A, '10.0.1.11')).toBe(true)
  })
})

test('one ENI that cannot be plugged does not keep the others from it, and is tried again', async () => {
  await fabric.sync(PRIMARIES)
  const broken = { ...SECOND_A, eniId: 'eni-sim00000009' as EniId, ips: [...PRIMARY_A.ips, 'no address' as Ipv4] }
  await expect(fabric.sync([PRIMARY_A, PRIMARY_B, broken, SECOND_A])).rejects.toThrow(/no address/)
  expect((await linksOf(NODE_A)).map((link) => link.ifname)).toEqual(['lo', 'eth0', 'eth1'])
  const mended = { ...broken, mac: parseMac('00:16:3e:00:00:09'), ips: [ip('10.0.1.40')] }
  await fabric.sync([PRIMARY_A, PRIMARY_B, mended, SECOND_A])
  expect((await linksOf(NODE_A)).map((link) => link.ifname)).toEqual(['lo', 'eth0', 'eth1', 'eth2'])
})

describe('the prefix', () => {
  const start = () => Fabric.start({ ...VPC, prefix: PREFIX, nodes: [NODE_A] })

  test('stop removes all namespaces and frees it', async () => {
    await fabric.sync(PRIMARIES)
    await fabric.stop()
    expect(listNamedNetns(PREFIX)).toEqual([])
    await (await start()).stop()
  })

  test('has one owner', async () => {
    await expect(start()).rejects.toThrow(`the simulator with pid ${process.pid} has the prefix`)
    await expect(cleanFabric(PREFIX)).rejects.toThrow('stop it by SIGTERM')
    expect(listNamedNetns(PREFIX)).toHaveLength(3)
  })

  test('is refused where somebody else made namespaces, and these are left alone', async () => {
    await fabric.stop()
    createNamedNetns(`${PREFIX}-a`)
    await expect(start()).rejects.toThrow(`the namespaces ${PREFIX}-a exist`)
    expect(listNamedNetns(PREFIX)).toEqual([`${PREFIX}-a`])
  })

  test.each(['', '../x', 'a/b', '-a', 'A', 'x'.repeat(33)])('cannot be %j', async (prefix) => {
    await expect(Fabric.start({ ...VPC, prefix, nodes: [] })).rejects.toBeInstanceOf(FabricError)
  })

  test('there is nothing to clean where nothing was', async () => {
    expect(await cleanFabric('tw-sim-never')).toEqual([])
  })
})

test('a member ENI on a kernel without 802.1Q is refused by name, and the others are plugged', async () => {
  const trunk: Plug = { ...SECOND_A, kind: 'trunk' }
  const member: Plug = { ...plug(4, NODE_A, H, '10.0.1.40'), kind: 'member', trunk: trunk.eniId, vlan: 1 }
  const sync = fabric.sync([PRIMARY_A, member, trunk])
  const refusal = `this kernel has no 802.1Q, which the member ENI ${member.eniId} needs`
  const outcome = await sync.then(() => 'plugged', String)
  expect(outcome).toEqual((await hasVlans('eth1')) ? 'plugged' : expect.stringContaining(refusal))
  expect([...(await fabric.counters()).keys()]).toEqual(expect.arrayContaining([PRIMARY_A.eniId, trunk.eniId]))
})

async function hasVlans(link: string): Promise<boolean> {
  try {
    await inNode(NODE_A, 'ip', 'link', 'add', 'link', link, 'name', 'probe', 'type', 'vlan', 'id', '7')
    return true
  } catch {
    return false // the kernel does not know the type
  }
}
