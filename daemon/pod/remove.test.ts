import { expect, test } from '@jest/globals'
import { pino } from 'pino'
import { parseLinkName } from '../../inet/link-name.ts'
import type { PlanInterpreter } from '../../netlink/interpreter.ts'
import { type NetworkPlan, networkPlan } from '../../netlink/plan.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { Endpoints } from './endpoints.ts'
import { Removals } from './remove.ts'

const planOf = (priority: number): NetworkPlan =>
  networkPlan({ rules: [{ netns: 'host', family: 'ipv4', priority, table: 1000 }] })

const MOVING: Endpoint = {
  ...{ containerId: 'c', ifname: parseLinkName('eth0'), phase: 'ready', network: 'terway', namespace: 'default' },
  ...{ pod: 'web', netns: '/run/netns/p', netnsId: '4:5', since: 1, plan: planOf(1), replaced: planOf(2) },
}

test('a plan that cannot be removed keeps no other, and the first error is told', async () => {
  const removed: number[] = []
  const told: string[] = []
  const remove = async ({ rules }: NetworkPlan) => {
    const [{ priority } = { priority: 0 }] = rules
    removed.push(priority)
    throw new Error(`busy ${priority}`)
  }
  const endpoints = new Endpoints({ putEndpoint: () => undefined, dropEndpoint: () => undefined }, [MOVING])
  const removals = new Removals({
    ...{ endpoints, kernel: { remove } as unknown as PlanInterpreter, links: { fit: async () => undefined } },
    leases: {
      acquire: () => Promise.reject(new Error('must not be called')),
      release: () => told.push('released'),
      held: () => [],
    },
    ...{ keepsAddress: () => false, now: () => 7 },
    log: pino({ base: null }, { write: (line) => told.push(JSON.parse(line).err.message) }),
  })
  await removals.start(MOVING)
  expect([removed, told]).toEqual([[1, 2], ['busy 1']])
  expect(endpoints.all()).toMatchObject([{ phase: 'deleting', plan: planOf(1), replaced: planOf(2) }])
})
