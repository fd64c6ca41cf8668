/** Endpoints, locks and removals are the real ones; the kernel and the pool are what the sweep sees of them. */
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { pino } from 'pino'
import { parseIpv4, parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import type { PlanInterpreter } from '../../netlink/interpreter.ts'
import { type LinkSpec, networkPlan } from '../../netlink/plan.ts'
import { owned, poolOf } from '../../test/pool/state-builder.ts'
import type { EniFacts, HostFacts } from '../datapath/attachment.ts'
import type { Owner } from '../pool/model.ts'
import type { Pool } from '../pool/pool.ts'
import type { Endpoint } from '../store/endpoint.ts'
import type { PodContext } from './context.ts'
import { Endpoints } from './endpoints.ts'
import { KeyedLock } from './keyed-lock.ts'
import { LinkIndexes } from './link-indexes.ts'
import { poolLeases } from './pool-leases.ts'
import { Removals } from './remove.ts'
import { Sweep, type Swept } from './sweep.ts'

const mac = parseMac('02:00:00:00:00:01')
const IFNAME = parseLinkName('eth0')
/** The node has no such link. */
const VETH: LinkSpec = {
  ...{ kind: 'veth', netns: 'host', name: parseLinkName('cali0123456789a'), ifindex: 1, mac, mtu: 1500 },
  peer: { name: IFNAME, ifindex: 2, mac, mtu: 1500 },
}
const PLAN = networkPlan({ links: [VETH] })
/** Its sandbox is nowhere. */
const ENDPOINT: Endpoint = {
  ...{ containerId: 'c', ifname: IFNAME, phase: 'ready', network: 'terway', namespace: 'default' },
  ...{ pod: 'web', netns: '/run/netns/tw-sweep-nothing', netnsId: '4:5', since: 1, plan: PLAN },
}
const HOST = {} as HostFacts
const NO_ENI = {} as EniFacts
const UNFINISHED: Endpoint = { ...ENDPOINT, phase: 'adding' }
const NOBODYS = poolOf({ a: { ipv4: [owned] } })

interface Part {
  readonly endpoint?: Endpoint
  readonly state?: Pool['state']
  /** What the kernel does with a plan that is to go. */
  readonly remove?: () => Promise<void>
}

function setUp({ endpoint, state = poolOf({}), remove = () => Promise.resolve() }: Part) {
  const released: Owner[] = []
  const endpoints = new Endpoints(
    { putEndpoint: () => undefined, dropEndpoint: () => undefined },
    endpoint ? [endpoint] : [],
  )
  const pool = { state, release: (owner: Owner) => released.push(owner) } as unknown as Pool
  const links = { fit: async () => undefined, fitAll: async () => undefined }
  const shared = {
    ...{ endpoints, links, kernel: { remove } as unknown as PlanInterpreter, log: pino({ level: 'silent' }) },
    ...{ now: () => 7, keepsAddress: () => false },
    leases: poolLeases(pool, { factsOf: () => NO_ENI }),
  }
  const context: PodContext = {
    ...{ ...shared, removals: new Removals(shared), locks: new KeyedLock(), indexes: new LinkIndexes([]) },
    ...{ mtu: 1500, acquireTimeout: 1, host: HOST },
    enis: { eniOf: () => undefined, isOfPods: () => false, missed: () => undefined, plans: () => [] },
    links: {
      ...{ exists: () => false, podRoutes: () => new Map(), rules: () => [], removeRules: () => undefined },
      ...{ marks: () => new Map(), isThere: () => true, indexes: () => [], ...links },
    },
  }
  return { context, endpoints, released, sweep: new Sweep(context) }
}

const told = ({ findings }: Swept) => findings.map(({ kind, fields }) => [kind, fields.pod ?? fields.ip])

test('an ADD under way is neither told nor touched; one that nobody is at is removed', async () => {
  const { context, endpoints, sweep } = setUp({ endpoint: UNFINISHED })
  const gate = Promise.withResolvers<void>()
  const adding = context.locks.run('default/web', () => gate.promise)
  expect([told(await sweep.run({ dryRun: true })), told(await sweep.run())]).toEqual([[], []])
  expect(endpoints.all()).toEqual([UNFINISHED])
  gate.resolve()
  await adding
  expect(told(await sweep.run({ dryRun: true }))).toEqual([['removed', 'default/web']])
  expect(told(await sweep.run())).toEqual([['removed', 'default/web']])
  expect(endpoints.all()).toEqual([])
})

test('a removal under way is its own', async () => {
  const gate = Promise.withResolvers<void>()
  const { context, sweep } = setUp({ endpoint: ENDPOINT, remove: () => gate.promise })
  const removal = context.removals.start(ENDPOINT)
  expect(told(await sweep.run({ seen: new Set(['c/eth0' as Owner]) }))).toEqual([])
  gate.resolve()
  await removal
})

test('what would not go is told as that, each time', async () => {
  const { endpoints, sweep } = setUp({ endpoint: UNFINISHED, remove: () => Promise.reject(new Error('busy')) })
  for (let round = 0; round < 2; round++) {
    const { findings } = await sweep.run()
    expect(findings).toMatchObject([{ kind: 'failed', fields: { pod: 'default/web', containerId: 'c' } }])
  }
  expect(endpoints.all()).toMatchObject([{ phase: 'deleting' }])
})

test('a pod that ended is suspected at one look and removed at the next', async () => {
  const { endpoints, sweep } = setUp({ endpoint: { ...ENDPOINT, ip: parseIpv4('10.0.0.10') } })
  expect(told(await sweep.run())).toEqual([['suspected', 'default/web']])
  expect(endpoints.all()).toHaveLength(1)
  expect(told(await sweep.run())).toEqual([['removed', 'default/web']])
  expect(endpoints.all()).toEqual([])
})

test('a pod whose end cannot be seen is neither suspected nor removed, however often it is looked for', async () => {
  const hidden = { ...ENDPOINT, netns: '/run/netns-of-another-mount/pod', plan: networkPlan({}) }
  const { endpoints, sweep } = setUp({ endpoint: hidden })
  for (let look = 0; look < 3; look++) expect(told(await sweep.run())).toEqual([])
  expect(endpoints.all()).toEqual([hidden])
})

test('a dry look tells the same of what was seen before, and leaves nothing to remember', async () => {
  const { endpoints, sweep } = setUp({ endpoint: ENDPOINT })
  const first = await sweep.run({ dryRun: true })
  expect(told(first)).toEqual([['suspected', 'default/web']])
  expect(told(await sweep.run({ dryRun: true, seen: first.suspects }))).toEqual([['removed', 'default/web']])
  expect(told(await sweep.run())).toEqual([['suspected', 'default/web']])
  expect(endpoints.all()).toHaveLength(1)
})

test('an address of nobody is told by its address, and no endpoint', async () => {
  const { released, sweep } = setUp({ state: NOBODYS })
  expect((await sweep.run({ dryRun: true })).findings).toMatchObject([{ kind: 'removed', fields: { ip: '10.0.0.10' } }])
  expect(released).toEqual([])
  expect((await sweep.run()).findings.map(({ fields }) => fields.containerId)).toEqual([undefined])
  expect(released).toEqual(['c/eth0'])
})

test('a second sweep waits for the first, and who stops waits for both', async () => {
  const gate = Promise.withResolvers<void>()
  const { context } = setUp({})
  let sweeps = 0
  const fitAll = () => {
    sweeps += 1
    return gate.promise
  }
  const slow = new Sweep({ ...context, links: { ...context.links, fitAll } })
  const runs = [slow.run(), slow.run()]
  for (let i = 0; i < 3; i++) await turn()
  expect(sweeps).toBe(1)
  const settled = slow.settled().then(() => sweeps)
  expect(await Promise.race([settled, turn('under way')])).toBe('under way')
  gate.resolve()
  expect(await settled).toBe(2)
  await Promise.all(runs)
})
