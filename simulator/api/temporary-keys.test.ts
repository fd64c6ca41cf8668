import { expect, test } from '@jest/globals'
import { testRegion } from '../../test/simulator/region.ts'
import { RoleKeys } from '../metadata/role-keys.ts'
import type { RamRole } from '../region/region.ts'
import { TemporaryKeys } from './temporary-keys.ts'

const ROLE: RamRole = { name: 'r' as RamRole['name'], policy: { allow: ['*'], deny: [] }, keyLife: 3600 }
const HOUR = 3_600_000

function testKeys(capacity: number) {
  let time = 0
  const keys = new TemporaryKeys(() => time, capacity)
  const issue = () => keys.issue(ROLE, { session: 's', life: 3600 })
  const pass = (milliseconds: number) => {
    time += milliseconds
  }
  return { keys, issue, pass, now: () => time }
}

test('one too many costs the oldest', () => {
  const { keys, issue } = testKeys(2)
  const issued = [issue(), issue(), issue()]
  expect(issued.map(({ id }) => keys.find(id) !== undefined)).toEqual([false, true, true])
})

test('those that expired are known for an hour more', () => {
  const { keys, issue, pass } = testKeys(9)
  const first = issue()
  pass(2 * HOUR - 1)
  issue()
  expect(keys.find(first.id)).toBe(first)
  pass(1)
  issue()
  expect(keys.find(first.id)).toBeUndefined()
})

test('an instance does not get a key that is known no more', () => {
  const { keys, issue, now } = testKeys(2)
  const [node] = testRegion().nodes
  if (node === undefined) throw new Error('the test region has no node')
  const roleKeys = new RoleKeys(keys, now)
  const keyOf = () => JSON.parse(roleKeys.item(node, ROLE)).AccessKeyId as string
  const first = keyOf()
  expect(keyOf()).toBe(first)
  issue()
  issue()
  expect(keyOf()).not.toBe(first)
})
