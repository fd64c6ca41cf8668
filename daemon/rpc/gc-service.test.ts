import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { credentials, type ServiceError, status } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import pino from 'pino'
import { CloudError } from '../../cloud/error.ts'
import { Repair } from '../../proto/contract.ts'
import type { CniHandlers } from '../../proto/generated/terway/cni/v1/Cni.ts'
import type { InspectHandlers } from '../../proto/generated/terway/inspect/v1/Inspect.ts'
import type { GcReply__Output as GcReply } from '../../proto/generated/terway/repair/v1/GcReply.ts'
import type { GcRequest } from '../../proto/generated/terway/repair/v1/GcRequest.ts'
import type { Gc, GcFinding, GcOptions } from '../pod/gc.ts'
import { repairService } from './gc-service.ts'
import { type RunningServer, serve } from './server.ts'

let directory: string
let running: RunningServer
let asked: GcOptions[]
let run: Gc['run']
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'terway-gc-'))
  asked = []
  const gc: Gc = {
    run: (options, signal) => {
      asked.push(options)
      return run(options, signal)
    },
  }
  const repair = repairService({ gc, log: pino({ level: 'silent' }) })
  running = await serve(join(directory, 's'), { cni: {} as CniHandlers, inspect: {} as InspectHandlers, repair })
})
afterEach(async () => {
  await running.stop()
  rmSync(directory, { recursive: true })
})

function ask(request: GcRequest): Promise<GcReply> {
  const client = new Repair(`unix:${join(directory, 's')}`, credentials.createInsecure())
  return new Promise<GcReply>((resolve, reject) => {
    client.Gc(request, (error, reply) => (reply === undefined ? reject(error) : resolve(reply)))
  }).finally(() => client.close())
}

const finding = (kind: GcFinding['kind'], fields: GcFinding['fields']): GcFinding => ({
  ...{ kind, fields, level: 'info', message: 'because' },
})
const FINDINGS = [
  finding('released', { eni: 'eni-1', ip: '10.0.1.1,10.0.1.2' }),
  finding('adopted', { eni: 'eni-2', prefix: '10.0.2.0/28' }),
  finding('ghost', { eni: 'eni-3', ip: '10.0.1.3', owner: 'c1/eth0' }),
  finding('suspected', { eni: 'eni-4' }),
  finding('foreign', { eni: 'eni-5' }),
  finding('removed', { pod: 'default/web' }),
  finding('failed', { pod: 'default/db' }),
]
const report = { findings: FINDINGS, enis: 3, addresses: 30, pods: 12 }

test('what was done, to what and why, and how much was looked at', async () => {
  run = () => Promise.resolve(report)
  const { findings, ...counts } = await ask({ force: true })
  expect(asked).toEqual([{ dryRun: false, force: true }])
  expect(counts).toEqual({ enis: 3, addresses: 30, pods: 12 })
  expect(findings.map(({ outcome, kind, eni, address, pod, why }) => [outcome, kind, eni, address, pod, why])).toEqual([
    ['done', 'released', 'eni-1', '10.0.1.1,10.0.1.2', '', 'because'],
    ['done', 'adopted', 'eni-2', '10.0.2.0/28', '', 'because'],
    ['done', 'ghost', 'eni-3', '10.0.1.3', 'c1/eth0', 'because'],
    ['later', 'suspected', 'eni-4', '', '', 'because'],
    ['none', 'foreign', 'eni-5', '', '', 'because'],
    ['done', 'removed', '', '', 'default/web', 'because'],
    ['failed', 'failed', '', '', 'default/db', 'because'],
  ])
})

test('a dry run says what would be done', async () => {
  run = () => Promise.resolve(report)
  const { findings } = await ask({ dryRun: true })
  expect(asked).toEqual([{ dryRun: true, force: false }])
  expect(findings.map(({ outcome }) => outcome)).toEqual([
    'would',
    'would',
    'would',
    'later',
    'none',
    'would',
    'failed',
  ])
})

const failure = () =>
  ask({}).then(
    () => undefined,
    ({ code, details }: ServiceError) => ({ code, details }),
  )

test('a cloud that does not answer is named with what to do', async () => {
  const error = new CloudError('no answer', { action: 'DescribeNetworkInterfaces', code: 'Timeout' })
  run = () => Promise.reject(error)
  expect(await failure()).toEqual({ code: status.FAILED_PRECONDITION, details: `${error.message}; ${error.advice}` })
})

test('a fault of the daemon points at its log', async () => {
  run = () => Promise.reject(new Error('disk full'))
  expect(await failure()).toEqual({ code: status.INTERNAL, details: 'disk full; the log of terwayd holds the rest' })
})

test('a caller that goes away is told to who works for it', async () => {
  const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<unknown>()]
  run = (_, signal) => {
    begun.resolve()
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        ended.resolve(signal.reason)
        reject(signal.reason)
      })
    })
  }
  const client = new Repair(`unix:${join(directory, 's')}`, credentials.createInsecure())
  const call = client.Gc({}, () => undefined)
  await begun.promise
  call.cancel()
  expect(await ended.promise).toMatchObject({ message: 'nobody waits for the answer any more' })
  client.close()
})
