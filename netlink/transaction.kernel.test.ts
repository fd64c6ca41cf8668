import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { run, TestNamespaces } from '../test/kernel/namespaces.ts'
import type { Netns } from './netns.ts'
import { NFNL_SUBSYS_NFTABLES, TableRequests } from './nftables/request.ts'
import { NetlinkSocket } from './socket.ts'

const NFNL_SUBSYS_NONE = 0

let spaces: TestNamespaces
let netns: Netns
let socket: NetlinkSocket
const table = new TableRequests('trial')

beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-tx-')
  netns = spaces.create('a')
  socket = NetlinkSocket.open({ netns, protocol: 'netfilter' })
})

afterEach(() => {
  socket.close()
  spaces[Symbol.dispose]()
})

const ruleset = () => run(netns, 'nft', 'list', 'ruleset')
const chains = (count: number) => Array.from({ length: count }, (_, index) => table.addChain(`c${index}`))

test('all requests are carried out', () => {
  socket.transact(NFNL_SUBSYS_NFTABLES, [table.addTable(), ...chains(1000)])
  expect(ruleset().match(/chain c/g)).toHaveLength(1000)
  socket.transact(NFNL_SUBSYS_NFTABLES, [])
  socket.transact(NFNL_SUBSYS_NFTABLES, [table.deleteTable()])
  expect(ruleset()).toBe('')
})

test('of one that fails nothing is left, the error is its own, and the next transaction is not concerned', () => {
  const failing = [table.addTable(), ...chains(2), table.deleteChain('none'), table.deleteChain('other')]
  for (let round = 0; round < 3; round++) {
    expect(() => socket.transact(NFNL_SUBSYS_NFTABLES, failing)).toThrow(
      expect.objectContaining({ code: 'ENOENT', request: 'delete chain inet trial none' }),
    )
    expect(ruleset()).toBe('')
  }
  socket.transact(NFNL_SUBSYS_NFTABLES, [table.addTable()])
  expect(ruleset()).toContain('table inet trial')
})

test('one that is refused as a whole ends with one answer for all', () => {
  expect(() => socket.transact(NFNL_SUBSYS_NONE, [table.addTable(), ...chains(2)])).toThrow(
    expect.objectContaining({ code: 'EOPNOTSUPP', request: 'add table inet trial and 2 more' }),
  )
  socket.transact(NFNL_SUBSYS_NFTABLES, [table.addTable()])
  expect(socket.get(table.getTable())).toHaveLength(1)
})

test('one that does not fit the send buffer is not sent', () => {
  const large = [table.addTable(), ...chains(40_000)]
  expect(() => socket.transact(NFNL_SUBSYS_NFTABLES, large)).toThrow(expect.objectContaining({ code: 'EMSGSIZE' }))
  expect(ruleset()).toBe('')
})
