import { expect, test } from '@jest/globals'
import { nodeOverrides } from './node-overrides.ts'

const MAX = 'k8s.aliyun.com/eni-max-pool-size'
const MIN = 'k8s.aliyun.com/eni-min-pool-size'
const POOL = { minPool: 10, maxPool: 25 }

test.each([
  [{}, {}],
  [{ 'k8s.aliyun.com/eni-other': '7', other: 'x' }, {}],
  [
    { [MAX]: '80', [MIN]: '40' },
    { maxPool: 80, minPool: 40 },
  ],
  [{ [MAX]: '10' }, { maxPool: 10 }],
  [{ [MIN]: '25' }, { minPool: 25 }],
  [
    { [MAX]: '0', [MIN]: '0' },
    { maxPool: 0, minPool: 0 },
  ],
])('%j sets %j', (annotations, overrides) => {
  expect(nodeOverrides(annotations, POOL)).toEqual({ overrides, problems: [] })
})

test.each(['', ' 5', '-5', '5.5', '1e3', '0x10', 'many', '9007199254740993'])(
  '%j is no size: the problem says so, and the file holds',
  (text) => {
    expect(nodeOverrides({ [MAX]: text, [MIN]: '5' }, POOL)).toEqual({
      overrides: { minPool: 5 },
      problems: [`annotation ${MAX} must be a whole number, not ${JSON.stringify(text)}; it has no effect`],
    })
  },
)

test('a text without end is not repeated', () => {
  expect(nodeOverrides({ [MIN]: 'x'.repeat(1000) }, POOL).problems[0]).toMatch(/not "x{40}";/)
})

test.each([
  [{ [MAX]: '20', [MIN]: '50' }, { maxPool: 20, minPool: 20 }, `${MIN} 50 exceeds ${MAX} 20 and is lowered to it`],
  [{ [MIN]: '50' }, { minPool: 25 }, `${MIN} 50 exceeds max_pool_size 25 and is lowered to it`],
  [{ [MAX]: '5' }, { maxPool: 5, minPool: 5 }, `min_pool_size 10 exceeds ${MAX} 5 and is lowered to it`],
])('%j: what is kept ready is lowered to what may be free', (annotations, overrides, problem) => {
  expect(nodeOverrides(annotations, POOL)).toEqual({ overrides, problems: [problem] })
})

test('a name that every object has is no annotation', () => {
  expect(nodeOverrides(Object.create({ [MAX]: '5' }), POOL)).toEqual({ overrides: {}, problems: [] })
})
