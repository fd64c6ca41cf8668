import type { ServerUnaryCall } from '@grpc/grpc-js'
import { expect, test } from '@jest/globals'
import { pino } from 'pino'
import type { NodeFacts } from '../../cloud/metadata.ts'
import type { Node } from '../../proto/generated/terway/inspect/v1/Node.ts'
import type { ShowRequest__Output as ShowRequest } from '../../proto/generated/terway/inspect/v1/ShowRequest.ts'
import { cooling, poolOf, warm } from '../../test/pool/state-builder.ts'
import type { PodContext } from '../pod/context.ts'
import type { Pool } from '../pool/pool.ts'
import { KeptReports } from '../pool/report/reports.ts'
import { poolLimits } from '../pool/settings.ts'
import { inspectService } from './inspect-service.ts'

test('times of the pool come with the time it is by the same clock', () => {
  const state = poolOf({ a: { ipv4: [warm, cooling(5_030)] } })
  const limits = poolLimits({ maxEnis: 1, addressesPerEni: 10, minFree: 0, maxFree: 10 })
  const pool = { state, limits, waiting: 0, aim: undefined, readyEni: () => undefined, foreign: [] }
  const { Show } = inspectService({
    ...{ nodeName: 'n', facts: {} as NodeFacts, version: '1', startedAt: 1, now: () => 5_000 },
    ...{ reports: new KeptReports(pino({ level: 'silent' })), problems: () => [], mode: 'shared' },
    pool: pool as unknown as Pool,
    pods: { endpoints: { all: () => [] } } as unknown as PodContext,
  })
  let shown: Node | null | undefined
  Show({} as ServerUnaryCall<ShowRequest, Node>, (_, node) => {
    shown = node
  })
  expect(shown?.now).toBe(5_000)
  expect(shown?.enis?.[0]?.addresses?.[1]).toMatchObject({ phase: 'cooling', coolingUntil: 5_030 })
})
