/** What an ADD and a DEL cost the daemon of a node with a cloud: system calls, bytes, calls of the cloud. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { bytesOf, countsOf, type Figures, medians, WRITES, within } from './figures.ts'
import { GuardedNode } from './guarded-node.ts'
import { unlikeRecord } from './recorded.ts'
import { Strace } from './strace.ts'
import { type Syscall, slices, targetOf } from './syscalls.ts'

/** As many calls of each kind; what the daemon does by the clock falls into a few of them, and the median is of none. */
const PODS = 15
/** The daemon reads at the latest so long after a change what the kernel tells of it; ms */
const TOLD = 150

let guarded: GuardedNode
beforeAll(async () => {
  guarded = await GuardedNode.start(PODS)
})
afterAll(() => guarded?.[Symbol.asyncDispose]())

/** What the daemon does for each of the calls, from its arrival to that of the next. */
async function traced(verb: 'ADD' | 'DEL'): Promise<Syscall[][]> {
  const { node, pid, pods, directory } = guarded
  const strace = await Strace.attach({ pid, netns: node.netnsPath, file: join(directory, `${verb}.strace`) })
  for (const [i, pod] of pods.entries()) {
    await guarded.call(verb, pod)
    await guarded.hasPodLinks(verb === 'ADD' ? i + 1 : PODS - i - 1)
    await sleep(TOLD)
  }
  return slices(await strace.end(), ({ name, error }) => name === 'accept4' && error === undefined)
}

const PLACES = ['journal', 'log', 'rpc', undefined] as const

function placeOf(call: Syscall): (typeof PLACES)[number] {
  const target = targetOf(call)
  if (/\/journal\.db(-wal|-shm)?$/.test(target)) return 'journal'
  if (target === guarded.node.logFile) return 'log'
  return target.startsWith('UNIX-STREAM:') ? 'rpc' : undefined
}

/** By what it is spent on; what has no name goes to and comes from the kernel. */
function costOf(calls: readonly Syscall[]): Figures {
  const costs = PLACES.map((place) => {
    const those = calls.filter((call) => placeOf(call) === place)
    return place === undefined ? countsOf(those) : within(place, { ...countsOf(those), bytes: bytesOf(those, WRITES) })
  })
  return Object.assign({}, ...costs)
}

/**
 * Lines tell durations, with as many digits as they take. Replies tell an address and, in Huffman's code, the date. What
 * the kernel tells of comes in one read or in several, and links are deleted in one batch or in two; the requests
 * themselves are counted exactly where the daemon's parts run in this process.
 */
const TOLERANCE = { 'log.bytes': 6, 'rpc.bytes': 3, receive: 2, send: 1 }

test.each(['ADD', 'DEL'] as const)(
  '%s costs what is on record, and nothing is synced, started or asked of the cloud',
  async (verb) => {
    const before = await guarded.cloudCalls()
    const calls = await traced(verb)
    expect(calls).toHaveLength(PODS)
    const cost = medians(calls.map(costOf))
    const { sync = 0, 'journal.sync': synced = 0, process = 0 } = cost
    expect({ sync, synced, process }).toEqual({ sync: 0, synced: 0, process: 0 })
    expect((await guarded.cloudCalls()).slice(before.length)).toEqual([])
    expect(unlikeRecord(`daemon.${verb}`, cost, TOLERANCE)).toEqual([])
  },
)
