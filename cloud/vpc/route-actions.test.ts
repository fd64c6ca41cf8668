/** Changes of routes against a VPC that makes one at a time, later than it says, and in parts. */
import { beforeEach, describe, expect, test } from '@jest/globals'
import { type Cidr, parseCidr } from '../../inet/address.ts'
import { HastyClock } from '../../test/credentials/clocks.ts'
import { ScriptedTransport } from '../../test/transport/scripted-transport.ts'
import { CloudError } from '../error.ts'
import { type InstanceId, parseCloudId, type RouteEntryId, type RouteTableId, type VpcId } from '../ids.ts'
import type { CloudCall } from '../transport.ts'
import { createVpc, type Vpc } from '../vpc.ts'
import type { Route } from './route.ts'
import type { RouteTarget } from './route-actions.ts'

const instance = (name: string) => parseCloudId<InstanceId>(`i-${name}`)
const prefix = (third: number): Cidr => parseCidr(`172.20.${third}.0/24`)
const route = (third: number, node = 'a'): Route => ({
  cidr: prefix(third),
  nextHop: { type: 'Instance', id: instance(node) },
})
const table = (name: string): RouteTarget => ({
  vpcId: parseCloudId<VpcId>(`vpc-${name}`),
  routeTableId: parseCloudId<RouteTableId>(`vtb-${name}`),
})

interface Entry {
  readonly RouteEntryId: string
  readonly DestinationCidrBlock: string
  readonly hop: string
  Status: string
  /** Looks until a change of it is made. */
  looks: number
}

/** Looks at the table until a change shows. */
const LOOKS = 3

const NOT_THERE = 'VPC_ROUTER_ENTRY_NOT_EXIST'

const failed = (action: string, code: string | undefined): object =>
  code === undefined ? {} : new CloudError('no', { action, code })

/** A VPC's tables as the API behaves: a change is accepted, shows later, and meanwhile no other may come. */
class Tables {
  readonly entries: Entry[] = []
  /** Changes that came while another one was under way. */
  collisions = 0
  readonly scripted = new ScriptedTransport((call) => this.#answer(call))
  #made = 0

  add(third: number, node: string, Status = 'Available'): Entry {
    const entry = {
      ...{ RouteEntryId: `rte-${++this.#made}`, DestinationCidrBlock: prefix(third) as string },
      ...{ hop: instance(node) as string, Status, looks: Status === 'Available' ? 0 : LOOKS },
    }
    this.entries.push(entry)
    return entry
  }

  #answer({ action, query }: CloudCall): object {
    if (action === 'DescribeRouteEntryList') return this.#list(query)
    if (this.entries.some(({ looks }) => looks > 0)) this.collisions++
    const byId = ({ RouteEntryId }: Entry) => RouteEntryId === query.RouteEntryId
    switch (action) {
      case 'CreateRouteEntries':
        return this.#batch(query, (cidr, hop) => this.#create(cidr, hop, 'VPC_ROUTE_ENTRY_CIDR_BLOCK_DUPLICATE'))
      case 'DeleteRouteEntries':
        return this.#batch(query, (cidr) => this.#delete((entry) => entry.DestinationCidrBlock === cidr, NOT_THERE))
      case 'CreateRouteEntry': {
        const { DestinationCidrBlock, NextHopId } = query
        return failed(action, this.#create(`${DestinationCidrBlock}`, `${NextHopId}`, 'RouterEntryConflict.Duplicated'))
      }
      default:
        return failed(action, this.#delete(byId, 'InvalidRouteEntryId.NotFound'))
    }
  }

  #batch(query: CloudCall['query'], change: (cidr: string, hop: string) => string | undefined): object {
    const items = query.RouteEntries as { DstCidrBlock: string; NextHop: string }[]
    const FailedRouteEntries = items.flatMap(({ DstCidrBlock, NextHop }) => {
      const FailedCode = change(DstCidrBlock, NextHop)
      return FailedCode === undefined ? [] : [{ DstCidrBlock, NextHop, FailedCode, FailedMessage: 'refused' }]
    })
    return { FailedCount: FailedRouteEntries.length, FailedRouteEntries }
  }

  #create(cidr: string, hop: string, duplicate: string): string | undefined {
    if (cidr === prefix(99)) return 'InvalidCidrBlock'
    if (this.entries.some((entry) => entry.DestinationCidrBlock === cidr)) return duplicate
    const entry = this.add(0, 'x', 'Creating')
    Object.assign(entry, { DestinationCidrBlock: cidr, hop })
    return undefined
  }

  #delete(meant: (entry: Entry) => boolean, missing: string): string | undefined {
    const entry = this.entries.find(meant)
    if (entry === undefined) return missing
    Object.assign(entry, { Status: 'Deleting', looks: LOOKS })
    return undefined
  }

  #list({ DestinationCidrBlock, RouteEntryId }: CloudCall['query']): object {
    for (const entry of [...this.entries]) {
      if (entry.looks === 0 || --entry.looks > 0) continue
      if (entry.Status === 'Deleting') this.entries.splice(this.entries.indexOf(entry), 1)
      else entry.Status = 'Available'
    }
    const RouteEntry = this.entries
      .filter((entry) => DestinationCidrBlock === undefined || entry.DestinationCidrBlock === DestinationCidrBlock)
      .filter((entry) => RouteEntryId === undefined || entry.RouteEntryId === RouteEntryId)
      .map(({ hop, looks: _, ...entry }) => ({ ...entry, Type: 'Custom', NextHops: { NextHop: [{ NextHopId: hop }] } }))
    return { RouteEntrys: { RouteEntry } }
  }

  count(action: string): number {
    return this.scripted.sent.filter(([sent]) => sent === action).length
  }
}

let tables: Tables
let clock: HastyClock
let vpc: Vpc
beforeEach(() => {
  tables = new Tables()
  clock = new HastyClock()
  vpc = createVpc(tables.scripted.transport, { clock })
})

const settled = () => tables.entries.every(({ Status }) => Status === 'Available')

describe('a batch', () => {
  test('of creations returns when the table shows them all', async () => {
    const routes = [route(1), route(2, 'b')]
    expect(await vpc.createRouteEntries(table('1'), routes)).toEqual(routes.map((made) => ({ route: made })))
    expect(tables.entries.map(({ hop }) => hop)).toEqual(['i-a', 'i-b'])
    expect(settled()).toBe(true)
    expect(tables.count('DescribeRouteEntryList')).toBe(LOOKS)
  })

  test('of creations has a result for each: ours is there already, another is in the way, one is wrong', async () => {
    tables.add(1, 'a')
    tables.add(2, 'z')
    const results = await vpc.createRouteEntries(table('1'), [route(1), route(2), route(3), route(99)])
    expect(results.map(({ error }) => error?.code)).toEqual([
      ...[undefined, 'VPC_ROUTE_ENTRY_CIDR_BLOCK_DUPLICATE', undefined, 'InvalidCidrBlock'],
    ])
    expect(results[1]?.error?.message).toContain('172.20.2.0/24')
    expect(settled()).toBe(true)
  })

  test('whose first answer was lost: what it has begun is waited for', async () => {
    tables.add(1, 'a', 'Creating')
    expect(await vpc.createRouteEntries(table('1'), [route(1)])).toEqual([{ route: route(1) }])
    expect(settled()).toBe(true)
  })

  test('that is refused as a whole is not waited for', async () => {
    const [result] = await vpc.createRouteEntries(table('1'), [route(99)])
    expect(result?.error?.code).toBe('InvalidCidrBlock')
    expect(tables.count('DescribeRouteEntryList')).toBe(0)
  })

  test('of deletions returns when they are gone, also those that never were', async () => {
    tables.add(1, 'a')
    const routes = [route(1), route(2)]
    expect(await vpc.deleteRouteEntries(table('1'), routes)).toEqual(routes.map((gone) => ({ route: gone })))
    expect(tables.entries).toEqual([])
  })

  test('of more than fifty is sent in pieces, one after the other', async () => {
    const routes = Array.from({ length: 51 }, (_, i) => route(i))
    expect(await vpc.createRouteEntries(table('1'), routes)).toHaveLength(51)
    expect(tables.count('CreateRouteEntries')).toBe(2)
    expect(tables.collisions).toBe(0)
  })

  test('of none asks for nothing', async () => {
    expect(await vpc.createRouteEntries(table('1'), [])).toEqual([])
    expect(tables.scripted.sent).toEqual([])
  })
})

describe('a single route', () => {
  test('is made and deleted', async () => {
    const id = await vpc.createRouteEntry(table('1'), route(1), 't')
    expect(tables.entries).toMatchObject([{ RouteEntryId: id, Status: 'Available' }])
    await vpc.deleteRouteEntry(table('1'), id)
    expect(tables.entries).toEqual([])
  })

  test('that is there with the same next hop counts as made, with another one as in the way', async () => {
    const { RouteEntryId } = tables.add(1, 'a', 'Creating')
    expect(await vpc.createRouteEntry(table('1'), route(1), 't')).toBe(RouteEntryId)
    tables.add(2, 'z')
    const other = vpc.createRouteEntry(table('1'), route(2), 't2')
    await expect(other).rejects.toMatchObject({ code: 'RouterEntryConflict.Duplicated' })
  })

  test('that is not there counts as deleted', async () => {
    await expect(vpc.deleteRouteEntry(table('1'), parseCloudId<RouteEntryId>('rte-9'))).resolves.toBeUndefined()
  })
})

test('changes of one VPC never meet, whatever they are and however they end', async () => {
  tables.add(50, 'z')
  const changes = [
    vpc.createRouteEntries(table('1'), [route(1), route(2)]),
    vpc.createRouteEntry(table('1'), route(3), 't3'),
    vpc.createRouteEntry(table('1'), route(50), 't50').catch(() => 'in the way'),
    vpc.deleteRouteEntries(table('1'), [route(1)]),
    vpc.createRouteEntries(table('1'), [route(1, 'b')]),
  ]
  await Promise.all(changes)
  expect(tables.collisions).toBe(0)
  expect(tables.entries.map(({ DestinationCidrBlock, hop }) => `${DestinationCidrBlock} ${hop}`).sort()).toEqual([
    ...['172.20.1.0/24 i-b', '172.20.2.0/24 i-a', '172.20.3.0/24 i-a', '172.20.50.0/24 i-z'],
  ])
})

test('a VPC does not wait for another one', async () => {
  const hangs = Promise.withResolvers<object>()
  const slow = createVpc(
    async (call, options) => {
      const items = call.query.RouteEntries as { RouteTableId: string }[] | undefined
      if (items?.[0]?.RouteTableId === 'vtb-1') return await hangs.promise
      return await tables.scripted.transport(call, options)
    },
    { clock },
  )
  const first = slow.createRouteEntries(table('1'), [route(1)])
  await slow.createRouteEntries(table('2'), [route(2)])
  hangs.resolve({ FailedRouteEntries: [{ DstCidrBlock: prefix(1), FailedCode: 'InvalidCidrBlock' }] })
  expect((await first)[0]?.error?.code).toBe('InvalidCidrBlock')
})

test('who is aborted while waiting in line is told at once, asks for nothing and holds nobody up', async () => {
  const hangs = Promise.withResolvers<object>()
  const sent: string[] = []
  const slow = createVpc(
    async ({ query }) => {
      sent.push(JSON.stringify(query))
      return await hangs.promise
    },
    { clock },
  )
  const first = slow.createRouteEntries(table('1'), [route(1)])
  const leaving = new AbortController()
  const second = slow.createRouteEntries(table('1'), [route(2)], { signal: leaving.signal })
  const third = slow.createRouteEntries(table('1'), [route(3)])
  leaving.abort(new Error('gone'))
  await expect(second).rejects.toThrow('gone')
  expect(sent).toHaveLength(1)
  const refusals = [1, 3].map((third) => ({ DstCidrBlock: prefix(third), FailedCode: 'InvalidCidrBlock' }))
  hangs.resolve({ FailedRouteEntries: refusals })
  await Promise.all([first, third])
  expect(sent).toHaveLength(2)
  expect(sent.join()).not.toContain(prefix(2))
})

test('a change that never shows ends after a minute, as something to try again', async () => {
  const scripted = new ScriptedTransport(({ action }) =>
    action === 'CreateRouteEntries' ? { FailedRouteEntries: null } : { RouteEntrys: {} },
  )
  const failure = createVpc(scripted.transport, { clock }).createRouteEntries(table('1'), [route(1)])
  await expect(failure).rejects.toMatchObject({ code: 'Timeout', kind: 'transient' })
  const waited = clock.slept.reduce((sum, pause) => sum + pause, 0)
  expect(waited).toBeGreaterThan(60_000)
  expect(waited).toBeLessThan(64_000)
  expect(Math.max(...clock.slept)).toBe(3_000)
})
