/** Histories by chance; a seed draws the same one again. */
import fc from 'fast-check'
import { LATE, type Odds } from '../odds.ts'
import type { Event, Happening, History, Mode, Scene, Sizing } from './history.ts'

/** ms during which things happen. */
const LENGTH = 360_000
/** Names of pods; few, so that they come again. */
export const PODS = 14
const MOST_EVENTS = 32

const modes: fc.Arbitrary<Mode> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Mode>('shared') },
  { weight: 2, arbitrary: fc.constantFrom<Mode>('dual', 'prefix', 'exclusive', 'member') },
  { weight: 1, arbitrary: fc.constantFrom<Mode>('ipv6', 'dual prefix', 'dual exclusive') },
)

/** What of them holds for `minFree` and `maxFree` also holds for the configuration: the first is not the larger. */
const watermarks = fc
  .tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 8 }))
  .map(([minFree, more]) => ({ minFree, maxFree: minFree + more }))

const scene: fc.Arbitrary<Scene> = fc.record({
  mode: modes,
  size: fc.constantFrom('tiny', 'small', 'large'),
  vSwitches: fc.constantFrom([24], [24, 24], [27, 24], [28], [28, 28], [29, 26]),
  sizing: fc
    .tuple(watermarks, fc.record({ minEnis: fc.integer({ min: 0, max: 2 }) }, { requiredKeys: [] }))
    .map(([free, enis]) => ({ ...free, ...enis })),
  more: fc.record(
    {
      order: fc.constantFrom('most-pods', 'fewest-pods'),
      strategy: fc.constantFrom('fixed', 'fixed', 'adaptive'),
      reserve: fc.constantFrom(0.2, 0.5),
      firstFill: fc.integer({ min: 1, max: 8 }),
      minPrefixes: fc.integer({ min: 1, max: 2 }),
      warmUp: fc.constantFrom({ batch: 2, interval: 5_000 }),
    },
    { requiredKeys: [] },
  ),
  coolDown: fc.constantFrom(30_000, 30_000, 5_000),
  transit: fc.constantFrom(0, 100, 3_000),
  chance: fc.noShrink(fc.nat()),
})

const probability = fc.constantFrom(0.05, 0.2, 0.5, 1)
const KINDS = [
  ...(['refused', 'answerLost', 'silence', 'arrivesLate', 'answeredLate', 'throttled', 'emptyId'] as const),
  ...(['attachFails', 'attachHangs', 'detachHangs', 'deleteHangs', 'staleList', 'incompleteList'] as const),
] satisfies readonly (keyof Odds)[]

const odds: fc.Arbitrary<Odds> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...KINDS), probability), {
    minLength: 1,
    maxLength: 3,
    selector: ([kind]) => kind,
  })
  .map((pairs) => Object.fromEntries(pairs))

const pod = fc.nat(PODS - 1)
const which = fc.nat(99)
const count = fc.integer({ min: 1, max: 6 })
const while_ = fc.integer({ min: 1_000, max: 120_000 })
const pause = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 5_000, max: 90_000 }))

const limits: fc.Arbitrary<Sizing> = fc.oneof(
  watermarks,
  fc.record({ maxEnis: fc.integer({ min: 0, max: 6 }) }),
  fc.record({ minEnis: fc.integer({ min: 0, max: 2 }) }),
)

/** A clock that is put right, by seconds or by years. */
const jump = fc.oneof(fc.integer({ min: -LATE, max: LATE }), fc.constantFrom(-3_600_000, 3_600_000, -1e12))

const happening: fc.Arbitrary<Happening> = fc.oneof(
  often(10, 'run', { pod, count, patience: fc.constantFrom(500, 5_000, 25_000, 60_000) }),
  often(7, 'end', { pod, count }),
  often(3, 'recreate', { pod }),
  often(5, 'trouble', { odds, for: while_ }),
  often(1, 'outage', { for: while_ }),
  often(1, 'throttle', { for: fc.integer({ min: 500, max: 30_000 }) }),
  often(1, 'dry', { vSwitch: fc.nat(1), for: while_ }),
  often(1, 'deaf kernel', { for: while_ }),
  often(1, 'detach', { which }),
  often(1, 'delete', { which }),
  often(1, 'unassign', { which }),
  often(1, 'neighbour comes', { tagged: fc.boolean() }),
  often(1, 'neighbour goes', {}),
  often(1, 'crash', { spot: fc.constant('now'), nth: fc.constant(1), pause }),
  often(4, 'crash', {
    spot: fc.constantFrom('before write', 'after write', 'call arrived', 'call answered', 'forgetting'),
    nth: fc.integer({ min: 1, max: 12 }),
    pause,
  }),
  often(1, 'reboot', { pause: fc.integer({ min: 10_000, max: 60_000 }) }),
  often(1, 'jump', { by: jump }),
  often(2, 'limits', { sizing: limits }),
)

const events: fc.Arbitrary<Event[]> = fc.array(
  fc.tuple(fc.integer({ min: 0, max: LENGTH }), happening).map(([at, what]) => ({ at, ...what })),
  { minLength: 4, maxLength: MOST_EVENTS, size: 'max' },
)

export const histories: fc.Arbitrary<History> = fc.record({ scene, events })

type Rest<K extends Happening['kind']> = Omit<Extract<Happening, { readonly kind: K }>, 'kind'>

function often<K extends Happening['kind']>(
  weight: number,
  kind: K,
  rest: { readonly [Field in keyof Rest<K>]: fc.Arbitrary<Rest<K>[Field]> },
) {
  const arbitrary = fc.record<unknown>(rest).map((fields) => ({ kind, ...fields }) as unknown as Happening)
  return { weight, arbitrary }
}
