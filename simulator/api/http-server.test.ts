/** Requests that go wrong before, or beside, the API. */
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { NO_LATENCY, testRegion } from '../../test/simulator/region.ts'
import { Cloud } from '../cloud/cloud.ts'
import { Faults } from '../faults/faults.ts'
import { close } from '../listen.ts'
import { type Simulator, startSimulator } from '../simulator.ts'
import { Audit } from './audit.ts'
import { Control } from './control.ts'
import { Gateway } from './gateway.ts'
import { createApiServer } from './http-server.ts'

describe('a simulator that is well', () => {
  let simulator: Simulator

  beforeEach(async () => {
    simulator = await startSimulator({
      region: testRegion({ latencies: NO_LATENCY }),
      fabricPrefix: undefined,
      listen: { host: '127.0.0.1', port: 0 },
      log: pino({ enabled: false }),
    })
  })

  afterEach(async () => {
    await simulator.stop()
  })

  test.each([64 * 1024 + 1, 3_000_000])('says that a body of %d bytes is too large, and ends', async (size) => {
    const answer = await fetch(`${simulator.ready.api}/faults`, { method: 'POST', body: 'x'.repeat(size) })
    expect([answer.status, answer.headers.get('connection')]).toEqual([413, 'close'])
    expect(await answer.json()).toEqual({ Message: 'The body has more than 65536 bytes.' })
  })

  test('takes a body that is just not too large', async () => {
    const body = JSON.stringify({ effect: { delay: 1 } }).padEnd(64 * 1024)
    expect((await fetch(`${simulator.ready.api}/faults`, { method: 'POST', body })).status).toBe(201)
  })

  test('reads a query with a question mark in it to its end', async () => {
    const answer = await fetch(`${simulator.ready.api}/audit?action=a?b&limit=x`)
    expect([answer.status, await answer.json()]).toEqual([400, { Message: 'limit: must be a number, not "x"' }])
  })

  test('forgets a request that ended too early', async () => {
    const { port, hostname } = new URL(simulator.ready.api)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    socket.write('POST /faults HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{')
    socket.resetAndDestroy()
    expect((await fetch(`${simulator.ready.api}/healthz`)).status).toBe(200)
  })
})

test('what fails inside is told to the caller and to the log', async () => {
  const now = Date.now
  const region = testRegion()
  const cloud = new Cloud({ region, now })
  const audit = new Audit()
  const told: unknown[] = []
  const onInternalError = (error: unknown) => told.push(error)
  const broken = new Error('nft: Permission denied')
  const fail = async () => {
    throw broken
  }
  const gateway = new Gateway({ cloud, audit, now, onInternalError, changed: async () => undefined })
  const control = new Control({
    ...{ cloud, audit, now, faults: new Faults({ region, now }), actions: [], speed: 1, failure: () => undefined },
    fabric: { vpcNetns: 'vpc', netnsOf: () => 'node', counters: fail },
    page: fail,
  })
  const server = createApiServer({ gateway, cloud, control, onInternalError })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    for (const [path, accept] of [
      ['/state', '*/*'],
      ['/', 'text/html'],
    ] as const) {
      const answer = await fetch(`${base}${path}`, { headers: { accept } })
      expect([answer.status, await answer.json()]).toEqual([500, { Message: 'nft: Permission denied' }])
    }
    expect(told).toEqual([broken, broken])
    expect((await fetch(`${base}/healthz`)).status).toBe(200)
  } finally {
    await close(server)
  }
})
