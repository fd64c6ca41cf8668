/** What the executable asks of the kernel for one call, over what Node asks for by itself, and what it says to the daemon. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { CniAnswer, CniCall } from '../cluster/cni.ts'
import { check } from '../cluster/process.ts'
import { bytesOf, countsOf, difference, type Figures, medians, READS, WRITES } from './figures.ts'
import { GuardedNode } from './guarded-node.ts'
import { unlikeRecord } from './recorded.ts'
import { readStrace, straced } from './strace.ts'
import { fdOf, type Syscall } from './syscalls.ts'

const SAMPLES = 7
/** Bytes of a frame of SETTINGS without any (RFC 9113, 4.1 and 6.5): it confirms the daemon's. */
const CONFIRMATION = 9
const [STDOUT, STDERR] = [1, 2]

let guarded: GuardedNode
let version: Figures
beforeAll(async () => {
  guarded = await GuardedNode.start(SAMPLES)
  version = medians((await eachPod((pod) => traced('VERSION', pod))).map(costOf))
})
afterAll(() => guarded?.[Symbol.asyncDispose]())

interface Traced {
  readonly answer: CniAnswer
  readonly calls: readonly Syscall[]
  /** Those of them on the connection to the daemon. */
  readonly said: readonly Syscall[]
}

async function traced(verb: 'VERSION' | 'ADD' | 'DEL', pod: CniCall): Promise<Traced> {
  const file = join(guarded.directory, `${verb}-${pod.pod}.strace`)
  const answer = await guarded.call(verb, { ...pod, under: straced(file) })
  const calls = readStrace(file)
  const connect = calls.findIndex(({ name }) => name === 'connect')
  const [socket, ...after] = connect < 0 ? [] : calls.slice(connect)
  const said = socket === undefined ? [] : after.filter((call) => fdOf(call) === fdOf(socket))
  return { answer, calls, said }
}

/** One after the other. */
async function eachPod<T>(run: (pod: CniCall) => Promise<T>): Promise<T[]> {
  const all: T[] = []
  for (const pod of guarded.pods) all.push(await run(pod))
  return all
}

/** Node with a program that does nothing. */
async function bare(): Promise<Figures> {
  const [program, file] = ['empty.cjs', 'bare.strace'].map((name) => join(guarded.directory, name)) as [string, string]
  writeFileSync(program, '')
  await check([...straced(file), process.execPath, program], { env: { PATH: process.env.PATH ?? '' } })
  return countsOf(readStrace(file))
}

/** Bytes of each send to the daemon. */
function sendsOf(said: readonly Syscall[]): number[] {
  return said.filter(({ name }) => WRITES.test(name)).map((call) => bytesOf([call], WRITES))
}

/** Of the sends only the first one's bytes: whether there is anything left to confirm depends on what has come by then. */
function costOf({ calls, said }: Traced): Figures {
  const others = calls.filter((call) => !(said.includes(call) && WRITES.test(call.name)))
  return { ...countsOf(others), 'bytes-sent': sendsOf(said)[0] ?? 0, 'bytes-received': bytesOf(said, READS) }
}

/** Replies tell an address and, in Huffman's code, the date. */
const TOLERANCE = { 'bytes-received': 3 }

test('VERSION asks for what Node asks for, and what is on record', async () => {
  const start = medians(await eachPod(bare))
  expect(unlikeRecord('plugin.VERSION', difference(version, start))).toEqual([])
})

test.each(['ADD', 'DEL'] as const)('%s asks for more than VERSION, what is on record', async (verb) => {
  const all = await eachPod((pod) => traced(verb, pod))
  for (const { answer, calls, said } of all) {
    // The first holds the whole request.
    const [, ...later] = sendsOf(said)
    expect([[], [CONFIRMATION]]).toContainEqual(later)
    // The answer goes out at once, and nothing else does.
    const printed = calls.filter((call) => WRITES.test(call.name) && [STDOUT, STDERR].includes(fdOf(call) ?? -1))
    const { length } = Buffer.from(answer.stdout)
    expect(printed.map(({ result }) => result)).toEqual(length > 0 ? [length] : [])
  }
  expect(unlikeRecord(`plugin.${verb}`, difference(medians(all.map(costOf)), version), TOLERANCE)).toEqual([])
})
