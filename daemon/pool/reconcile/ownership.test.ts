import { describe, expect, test } from '@jest/globals'
import { claimOf, type Ownership, takenBy } from './ownership.ts'
import { available, cloudEni, HERE, OTHER } from './world-under-test.ts'

const OWNERSHIP: Ownership = {
  ...{ instanceId: HERE, clusterId: 'c-1', tagFilter: {} },
  blockedTags: [{ key: 'terway.alibabacloud.com/excluded', value: 'true' }],
}
const ours = [['creator', 'terway']] as const
const tagged = (...tags: readonly (readonly [string, string])[]) => ({ tags: new Map([...ours, ...tags]) })

describe('an ENI is ours', () => {
  test.each([
    ['attached here, tagged by Terway', cloudEni('eni-1')],
    ['a trunk', cloudEni('eni-1', { type: 'Trunk' })],
    ['a member', cloudEni('eni-1', { type: 'Member' })],
    ['unattached and made for this node', available('eni-1')],
    ['of this cluster', cloudEni('eni-1', tagged(['ack.aliyun.com', 'c-1']))],
    ['not excluded', cloudEni('eni-1', tagged(['terway.alibabacloud.com/excluded', 'false']))],
  ])('%s', (_, eni) => expect(claimOf(eni, OWNERSHIP)).toEqual({ whose: 'ours' }))

  test('of whichever cluster, when the configuration names none', () => {
    const eni = cloudEni('eni-1', tagged(['ack.aliyun.com', 'c-2']))
    expect(claimOf(eni, { ...OWNERSHIP, clusterId: undefined })).toEqual({ whose: 'ours' })
  })
})

describe('an ENI attached here is foreign, and it says why', () => {
  test.each([
    [
      'made by somebody else',
      cloudEni('eni-1', { tags: new Map([['creator', 'terway-controller']]) }),
      /creator is terw/,
    ],
    ['without tags', cloudEni('eni-1', { tags: new Map() }), /no tag creator=terway/],
    ['of another cluster', cloudEni('eni-1', tagged(['ack.aliyun.com', 'c-2'])), /cluster c-2, and this one is c-1/],
    ['excluded', cloudEni('eni-1', tagged(['terway.alibabacloud.com/excluded', 'true'])), /excluded=true keeps/],
    ['of an unknown type', cloudEni('eni-1', { type: 'Unknown' }), /type/],
  ])('%s', (_, eni, why) => {
    expect(claimOf(eni, OWNERSHIP)).toEqual({ whose: 'foreign', why: expect.stringMatching(why) })
  })

  test('that the filter does not let through', () => {
    const ownership = { ...OWNERSHIP, tagFilter: { team: 'a' } }
    expect(claimOf(cloudEni('eni-1', tagged(['team', 'a'])), ownership)).toEqual({ whose: 'ours' })
    const b = cloudEni('eni-1', tagged(['team', 'b']))
    expect(claimOf(b, ownership)).toEqual({ whose: 'foreign', why: expect.stringContaining('team=a') })
  })
})

describe('an ENI is of no concern', () => {
  test.each([
    ['the primary one, whatever its tags', cloudEni('eni-1', { type: 'Primary' })],
    ['attached to another node', cloudEni('eni-1', { instanceId: OTHER })],
    ['attached to another node though made for this one', { ...available('eni-1'), instanceId: OTHER }],
    [
      'unattached and made for another node',
      available('eni-1', {
        tags: new Map([
          ['creator', 'terway'],
          ['terway.node', OTHER],
        ]),
      }),
    ],
    ['unattached and of nobody', available('eni-1', { tags: new Map() })],
    [
      'unattached, made for this node and excluded',
      available('eni-1', tagged(['terway.node', HERE], ['terway.alibabacloud.com/excluded', 'true'])),
    ],
  ])('%s', (_, eni) => expect(claimOf(eni, OWNERSHIP)).toEqual({ whose: 'none' }))
})

describe('of an ENI on record only what its tags say counts, not what they lack', () => {
  test('nothing lacking makes it somebody else’s', () => {
    const ownership = { ...OWNERSHIP, tagFilter: { team: 'a' } }
    expect(takenBy(cloudEni('eni-1', { tags: new Map() }), ownership)).toBeUndefined()
  })

  test('a blocked tag does', () => {
    expect(takenBy(cloudEni('eni-1', tagged(['terway.alibabacloud.com/excluded', 'true'])), OWNERSHIP)).toBeDefined()
  })
})
