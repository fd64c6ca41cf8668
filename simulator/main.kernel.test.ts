/** The executable, as users and tests start it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, expect, test } from '@jest/globals'
import { listNamedNetns } from '../netlink/netns.ts'
import { ownPrefix, removeByPrefix } from '../test/simulator/prefix.ts'
import { NO_LATENCY, REGION_FILE, regionText } from '../test/simulator/region.ts'
import type { Ready } from './simulator.ts'

const SIMULATOR = join(import.meta.dirname, '../bin/terway-sim')
const PREFIX = await ownPrefix('main')
const started: ChildProcess[] = []

function start(...args: string[]): ChildProcess {
  const argv = ['run', '--prefix', PREFIX, ...(args.includes('--region') ? [] : ['--region', REGION_FILE]), ...args]
  const child = spawn(SIMULATOR, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
  started.push(child)
  return child
}

async function readyOf(child: ChildProcess): Promise<Ready> {
  if (child.stdout === null) throw new Error('stdout is not a pipe')
  const lines = createInterface(child.stdout)
  const gone = once(child, 'exit').then(([status]) => Promise.reject(new Error(`it ended with ${status}`)))
  const [line] = await Promise.race([once(lines, 'line'), gone])
  return JSON.parse(line)
}

/** Exit status, or the signal, and what it said. */
async function endOf(child: ChildProcess): Promise<{ end: unknown; stderr: string }> {
  let stderr = ''
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const [status, signal] = await once(child, 'close')
  return { end: status ?? signal, stderr }
}

function sim(...args: string[]): string {
  return execFileSync(SIMULATOR, args, { encoding: 'utf8', stdio: 'pipe' })
}

const curl = (netns: string, ...args: string[]): string =>
  execFileSync('ip', ['netns', 'exec', netns, 'curl', '-s', '--max-time', '5', ...args], { encoding: 'utf8' })

function removeAll(): void {
  for (const child of started.splice(0)) child.kill('SIGKILL')
  removeByPrefix(PREFIX)
}

afterEach(removeAll)

test('announces itself, serves nodes from inside the VPC, and leaves nothing when it is ended', async () => {
  const child = start()
  const ready = await readyOf(child)
  expect(ready).toEqual({
    ready: true,
    api: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    apiInVpc: 'http://100.100.80.10',
    metadata: 'http://100.100.100.200',
    vpcNetns: `${PREFIX}-vpc`,
    nodes: [
      { name: 'node-a', instanceId: 'i-sim-a', netns: `${PREFIX}-node-a`, primaryIp: '10.0.1.10' },
      { name: 'node-b', instanceId: 'i-sim-b', netns: `${PREFIX}-node-b`, primaryIp: '10.0.2.10' },
    ],
  })
  const metadata = `${ready.metadata}/latest/meta-data/instance-id`
  expect(curl(`${PREFIX}-node-a`, metadata)).toBe('i-sim-a')
  expect(curl(`${PREFIX}-node-b`, metadata)).toBe('i-sim-b')
  expect(curl(`${PREFIX}-node-a`, '-X', 'POST', `${ready.apiInVpc}/`)).toContain('IncompleteSignature')
  expect(curl(`${PREFIX}-node-a`, `${ready.apiInVpc}/state`)).toContain('There is nothing at /state')
  const audit = await (await fetch(`${ready.api}/audit`)).json()
  expect(audit).toMatchObject({ calls: [{ code: 'IncompleteSignature', node: 'node-a' }] })

  const end = endOf(child)
  child.kill('SIGTERM')
  expect((await end).end).toBe(0)
  expect(listNamedNetns(PREFIX)).toEqual([])
})

test('a second one with the same prefix is refused and disturbs nothing', async () => {
  const first = start()
  await readyOf(first)
  const second = await endOf(start())
  expect(second.end).toBe(1)
  expect(second.stderr).toBe(
    `terway-sim: the simulator with pid ${first.pid} has the prefix ${PREFIX}: stop it or use --prefix\n`,
  )
  expect(listNamedNetns(PREFIX)).toHaveLength(3)
})

test('one that was killed leaves what clean removes', async () => {
  const child = start()
  const ended = endOf(child)
  await readyOf(child)
  child.kill('SIGKILL')
  await ended
  const refused = await endOf(start())
  expect(refused.end).toBe(1)
  expect(refused.stderr).toContain(`terway-sim clean --prefix ${PREFIX}`)
  expect(sim('clean', '--prefix', PREFIX)).toBe(`removed ${PREFIX}-vpc, ${PREFIX}-node-a, ${PREFIX}-node-b\n`)
  expect(listNamedNetns(PREFIX)).toEqual([])
  expect(sim('clean', '--prefix', PREFIX)).toBe('nothing is left\n')
})

test('a signal while it starts leaves nothing', async () => {
  const child = start()
  const ended = endOf(child)
  while (listNamedNetns(PREFIX).length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  child.kill('SIGINT')
  expect((await ended).end).toBe(0)
  expect(listNamedNetns(PREFIX)).toEqual([])
})

test('with --exit-with-parent it ends when its parent does', async () => {
  const command = `"${SIMULATOR}" run --region "${REGION_FILE}" --prefix ${PREFIX} --exit-with-parent & wait`
  const shell = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'ignore'] })
  started.push(shell)
  await readyOf(shell)
  shell.kill('SIGKILL')
  const deadline = Date.now() + 5000
  while (listNamedNetns(PREFIX).length > 0 && Date.now() < deadline) await new Promise((r) => setTimeout(r, 50))
  expect(listNamedNetns(PREFIX)).toEqual([])
})

test('a region that cannot be is refused before anything is made', async () => {
  const file = join(tmpdir(), `${PREFIX}.yaml`)
  writeFileSync(file, regionText({ latencies: { ...NO_LATENCY, atach: 1 } }))
  const { end, stderr } = await endOf(start('--region', file))
  expect(end).toBe(1)
  expect(stderr).toContain('Unrecognized key: "atach"')
  expect(listNamedNetns(PREFIX)).toEqual([])
})

test.each([
  ['--speed', '0', 'It must be above 0 and at most 1000.'],
  ['--speed', 'fast', 'It must be above 0 and at most 1000.'],
  ['--seed', '-1', 'It must be a number of at most 9 digits.'],
])('%s %s is refused before anything is made', async (option, value, message) => {
  const { end, stderr } = await endOf(start(`${option}=${value}`))
  expect(end).toBe(1)
  expect(stderr).toContain(message)
  expect(listNamedNetns(PREFIX)).toEqual([])
})

test('--speed makes the clock of the region faster', async () => {
  const { api } = await readyOf(start('--no-fabric', '--speed', '20', '--seed', '7'))
  expect(await (await fetch(`${api}/state`)).json()).toMatchObject({ clock: { speed: 20 } })
})
