/** The plugin's client, and the daemon's server, each against gRPC's C core in Python. */
import { afterAll, afterEach, describe, expect, test } from '@jest/globals'
import { decodeOutcome, encodeInvocation } from '../../cni-plugin/messages.ts'
import { serve } from '../../daemon/rpc/server.ts'
import type { CniHandlers } from '../../proto/generated/terway/cni/v1/Cni.ts'
import type { InspectHandlers } from '../../proto/generated/terway/inspect/v1/Inspect.ts'
import type { RepairHandlers } from '../../proto/generated/terway/repair/v1/Repair.ts'
import { call, failure, INVOCATION, runFromSource } from './client.ts'
import { callFromPython, PythonServer, whyNoGrpcio } from './python/grpcio.ts'
import { Scratch } from './scratch.ts'

const scratch = new Scratch()
afterAll(() => scratch.remove())

const whyNot = whyNoGrpcio()
const suite = whyNot === '' ? describe : describe.skip
const named = (name: string): string => (whyNot === '' ? name : `${name}: ${whyNot}`)

suite(named('the client and a server in Python'), () => {
  let server: PythonServer | undefined
  let socket = ''
  afterEach(async () => {
    await server?.stop()
    server = undefined
  })
  const start = async (path = scratch.socket()): Promise<void> => {
    socket = path
    server = await PythonServer.start(path)
  }
  const wanting = (what: string) => ({ invocation: { ...INVOCATION, args: `want=${what}` } })

  test('a request of 200 KB arrives whole', async () => {
    await start()
    const invocation = { ...INVOCATION, config: Buffer.alloc(200_000, 'terway') }
    const { result } = await call(socket, { invocation })
    expect(result?.equals(encodeInvocation(invocation))).toBe(true)
  })

  test('a reply of 1 MB arrives whole', async () => {
    await start()
    const { result } = await call(socket, wanting('large'))
    expect(result?.equals(Buffer.alloc(1_000_000, 'x'))).toBe(true)
  })

  test('a status with a message that is not ASCII', async () => {
    await start()
    expect(await failure(socket, wanting('status'))).toBe('failed: käse: 日本 100 %')
    expect(await failure(socket, wanting('unavailable'))).toBe('unreachable: not yet')
  })

  test('the deadline is known to the server, and it is told when it has passed', async () => {
    await start()
    expect(await failure(socket, { ...wanting('silence'), timeoutMs: 500 })).toMatch(/^timeout: /)
    expect([await server?.line(), await server?.line()]).toEqual(['waiting', 'cancelled'])
  })

  test('metadata on both ends of the reply, and what the server sees of the client', async () => {
    await start()
    const { result } = await call(socket, { ...wanting('metadata'), timeoutMs: 20_000 })
    const { metadata, remaining } = JSON.parse(`${result}`)
    expect(metadata['user-agent']).toMatch(/^terway\/\d/)
    expect(remaining).toBeGreaterThan(0)
    expect(remaining).toBeLessThanOrEqual(20)
  })

  test.each(['death', 'stop'])(
    'a server that meets its %s in the middle is out of reach; the next one answers',
    async (end) => {
      await start()
      expect(await failure(socket, wanting(end))).toMatch(/^unreachable: /)
      await server?.stop()
      expect(await failure(socket)).toMatch(/^unreachable: connect E(NOENT|CONNREFUSED) /)
      await start(scratch.socket())
      expect(await call(socket)).toEqual({ result: encodeInvocation(INVOCATION) })
    },
  )

  test('the whole plugin, from its source', async () => {
    await start()
    const { status, stdout } = await runFromSource(socket, { env: { CNI_ARGS: 'want=large' } })
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'x'.repeat(1_000_000) })
  })
})

suite(named("the daemon's server and a client in Python"), () => {
  const serveAnswer = async (handler: CniHandlers['Add']) => {
    const socket = scratch.socket()
    const cni: CniHandlers = { Add: handler, Del: handler, Check: handler, Status: handler, Gc: handler }
    const { stop } = await serve(socket, { cni, inspect: {} as InspectHandlers, repair: {} as RepairHandlers })
    return { socket, stop, method: '/terway.cni.v1.Cni/Add', timeout: 20 }
  }

  test('an ADD is answered', async () => {
    const { stop, ...target } = await serveAnswer(({ request }, reply) => reply(null, { result: request.config }))
    const config = Buffer.alloc(200_000, 'terway')
    const reply = await callFromPython({ ...target, request: encodeInvocation({ ...INVOCATION, config }) })
    expect(decodeOutcome(reply).result?.equals(config)).toBe(true)
    await stop()
  })

  test('a message that is none is refused, and the deadline ends a call', async () => {
    const { stop, ...target } = await serveAnswer(() => undefined)
    await expect(callFromPython({ ...target, request: Buffer.of(0x0a, 0xff) })).rejects.toThrow(/^INTERNAL /)
    const request = encodeInvocation(INVOCATION)
    await expect(callFromPython({ ...target, request, timeout: 0.5 })).rejects.toThrow(/^DEADLINE_EXCEEDED /)
    await stop()
  })
})
