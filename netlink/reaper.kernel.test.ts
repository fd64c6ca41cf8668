import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parseLinkName } from '../inet/link-name.ts'
import { ip, ipJson, TestNamespaces } from '../test/kernel/namespaces.ts'
import { addVeth } from './link.ts'
import type { Netns } from './netns.ts'
import { LinkReaper, REAPER_GROUP } from './reaper.ts'
import { NetlinkSocket } from './socket.ts'

let spaces: TestNamespaces
let netns: Netns

beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-reap-')
  netns = spaces.create('a')
})

afterEach(() => spaces[Symbol.dispose]())

function makeVeths(count: number, first = 1000): number[] {
  using socket = NetlinkSocket.open({ netns })
  const indexes = Array.from({ length: count }, (_, i) => first + 2 * i)
  const veth = (index: number) =>
    addVeth({
      ...{ name: parseLinkName(`v${index}`), ifindex: index, up: true },
      peer: { name: parseLinkName(`p${index}`), ifindex: index + 1 },
    })
  socket.execute(indexes.map(veth))
  return indexes
}

const links = () => ipJson(netns, 'link').map(({ ifindex }) => ifindex)

test('100 links go in a batch, off the main thread', async () => {
  await using reaper = new LinkReaper({ netns })
  const indexes = makeVeths(100)
  let turns = 0
  const ticker = setInterval(() => turns++, 1)
  await Promise.all(indexes.map((index) => reaper.remove(index)))
  clearInterval(ticker)
  expect(links()).toEqual([1])
  // What one turn of the event loop hands over goes with one request, and the loop goes on while the kernel waits.
  expect(reaper.requests).toBe(1)
  expect(turns).toBeGreaterThan(5)
})

test('a link is down before the call returns, and what comes later is not lost', async () => {
  await using reaper = new LinkReaper({ netns })
  const [first = 0, second = 0, third = 0] = makeVeths(3)
  const gone = [reaper.remove(first)]
  expect(ipJson(netns, 'link', 'show', `v${first}`)[0]).toMatchObject({ group: String(REAPER_GROUP) })
  expect(ip(netns, 'link', 'show', `v${first}`)).not.toContain(',UP')
  gone.push(reaper.remove(second))
  await sleep(5)
  gone.push(reaper.remove(third), reaper.remove(third))
  await Promise.all(gone)
  expect(links()).toEqual([1])
})

test('a link that does not exist, or goes by itself meanwhile, is gone', async () => {
  await using reaper = new LinkReaper({ netns })
  const [index = 0] = makeVeths(1)
  await reaper.remove(4711)
  const gone = reaper.remove(index)
  ip(netns, 'link', 'del', `p${index}`)
  await gone
  await reaper.remove(index)
})

test('a link that cannot be deleted rejects, and the others of its batch go nevertheless', async () => {
  await using reaper = new LinkReaper({ netns })
  const indexes = makeVeths(3)
  const loopback = reaper.remove(1)
  const others = indexes.map((index) => reaper.remove(index))
  await expect(loopback).rejects.toMatchObject({ name: 'NetlinkError', request: 'delete link 1' })
  await Promise.all(others)
  expect(links()).toEqual([1])
})

test('close waits for what was handed over, then refuses', async () => {
  const before = readdirSync('/proc/self/fd').length
  const reaper = new LinkReaper({ netns })
  const [index = 0] = makeVeths(1)
  const gone = reaper.remove(index)
  await reaper.close()
  expect(links()).toEqual([1])
  await gone
  await expect(reaper.remove(index)).rejects.toMatchObject({ code: 'EBADF' })
  expect(readdirSync('/proc/self/fd').length).toBe(before)
})
