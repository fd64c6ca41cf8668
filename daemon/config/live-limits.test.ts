import { expect, test } from '@jest/globals'
import { pino } from 'pino'
import { completed } from '../../cloud/instance/table.ts'
import { KeptReports } from '../pool/report/reports.ts'
import { parseEniConf } from './eni-conf.ts'
import { LiveLimits } from './live-limits.ts'

function live(annotations: Record<string, string>) {
  let change: () => void = () => undefined
  let changes = 0
  const inputs = {
    annotations,
    podCidrs: [],
    keepsAddress: () => false,
    onChange: (callback: () => void) => {
      change = callback
    },
  }
  const { conf } = parseEniConf('{"min_pool_size": 5, "max_pool_size": 20}')
  let { type } = completed({ id: 'ecs.g7.xlarge', eniQuantity: 4, ipv4PerEni: 15 })
  const log = pino({ level: 'silent' })
  const reports = new KeptReports(log)
  const limits = new LiveLimits({ conf, type: () => type, inputs, log, reports, now: () => 7 }, () => void changes++)
  return {
    limits,
    events: () => reports.events.latest,
    changes: () => changes,
    annotate: (next: Record<string, string>) => {
      inputs.annotations = next
      change()
    },
    grow: () => {
      type = { ...type, eniQuantity: 8 }
    },
  }
}

const MAX = 'k8s.aliyun.com/eni-max-pool-size'
const MIN = 'k8s.aliyun.com/eni-min-pool-size'

test('annotations change the sizes while the daemon runs, and are taken back', () => {
  const { limits, annotate, changes } = live({})
  expect(limits.current).toMatchObject({ minFree: 5, maxFree: 20 })
  annotate({ [MAX]: '40', [MIN]: '30' })
  expect(limits.current).toMatchObject({ minFree: 30, maxFree: 40 })
  annotate({})
  expect(limits.current).toMatchObject({ minFree: 5, maxFree: 20 })
  expect(changes()).toBe(2)
})

test('a size that is none leaves what the configuration says, and is an event', () => {
  const { limits, events } = live({ [MAX]: 'many' })
  expect(limits.current).toMatchObject({ minFree: 5, maxFree: 20 })
  const message = expect.stringMatching(/^annotations of the node: .*many/)
  expect(events()).toMatchObject([{ time: 7, level: 'warning', reason: 'ConfigError', message }])
})

test('an answer of the cloud that comes late is taken over, and the value is the same as long as nothing changes', () => {
  const { limits, grow } = live({})
  const before = limits.current
  expect(limits.current).toBe(before)
  grow()
  expect(limits.current.maxEnis).toBe(7)
})
