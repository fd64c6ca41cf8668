/** Histories that the pool has failed in once, made as small as they could be. */
import { test } from '@jest/globals'
import type { History } from './history.ts'
import { play } from './play.ts'

const FOUND: readonly (readonly [string, History])[] = [
  [
    'a pod that has lost its address takes no place from others',
    {
      scene: {
        mode: 'shared',
        size: 'tiny',
        vSwitches: [24],
        sizing: { minFree: 0, maxFree: 0 },
        more: {},
        coolDown: 30_000,
        transit: 0,
        chance: 2_147_483_641,
      },
      events: [
        { at: 0, kind: 'run', pod: 0, count: 6, patience: 500 },
        { at: 0, kind: 'delete', which: 0 },
        { at: 4_550, kind: 'crash', spot: 'before write', nth: 9, pause: 0 },
        { at: 8_550, kind: 'unassign', which: 33 },
        { at: 16_550, kind: 'run', pod: 0, count: 1, patience: 500 },
      ],
    },
  ],
  [
    'an ENI that hangs in a detach of somebody else’s is attached again',
    {
      scene: {
        mode: 'shared',
        size: 'tiny',
        vSwitches: [24],
        sizing: { minFree: 1, maxFree: 2 },
        more: {},
        coolDown: 30_000,
        transit: 0,
        chance: 1_359_498_882,
      },
      events: [
        { at: 210_400, kind: 'run', pod: 3, count: 2, patience: 5_000 },
        { at: 354_508, kind: 'trouble', odds: { staleList: 0.05, detachHangs: 0.2, incompleteList: 1 }, for: 108_835 },
        { at: 356_679, kind: 'detach', which: 15 },
      ],
    },
  ],
  [
    'a vSwitch that has fewer addresses than are asked for gives those',
    {
      scene: {
        mode: 'shared',
        size: 'large',
        vSwitches: [29, 26],
        sizing: { minFree: 5, maxFree: 5, minEnis: 1 },
        more: {},
        coolDown: 30_000,
        transit: 0,
        chance: 22,
      },
      events: [
        { at: 2, kind: 'dry', vSwitch: 1, for: 13_930 },
        { at: 2, kind: 'run', pod: 4, count: 4, patience: 5_000 },
        { at: 307_687, kind: 'run', pod: 10, count: 4, patience: 25_000 },
        { at: 359_376, kind: 'limits', sizing: { maxEnis: 1 } },
      ],
    },
  ],
  [
    'a trunk that is hard to attach and the members that wait for it do not wait for each other',
    {
      scene: {
        mode: 'member',
        size: 'tiny',
        vSwitches: [24],
        sizing: { minFree: 1, maxFree: 2 },
        more: {},
        coolDown: 30_000,
        transit: 0,
        chance: 2_147_483_622,
      },
      events: [
        { at: 2, kind: 'reboot', pause: 10_008 },
        { at: 4, kind: 'trouble', odds: { throttled: 0.05, answerLost: 0.5, deleteHangs: 0.05 }, for: 119_993 },
      ],
    },
  ],
  [
    'prefixes that are to stay in any case are not given back and asked for again',
    {
      scene: {
        mode: 'prefix',
        size: 'tiny',
        vSwitches: [24],
        sizing: { minFree: 0, maxFree: 0 },
        more: { minPrefixes: 2 },
        coolDown: 30_000,
        transit: 0,
        chance: 1_572_734_849,
      },
      events: [{ at: 272_775, kind: 'run', pod: 4, count: 6, patience: 25_000 }],
    },
  ],
  [
    'an address that somebody takes from a pod cools down when the cloud assigns it anew',
    {
      scene: {
        mode: 'shared',
        size: 'small',
        vSwitches: [24],
        sizing: { minFree: 1, maxFree: 2 },
        more: {},
        coolDown: 30_000,
        transit: 0,
        chance: 1_981_661_189,
      },
      events: [
        { at: 6, kind: 'run', pod: 0, count: 2, patience: 500 },
        { at: 18, kind: 'run', pod: 12, count: 3, patience: 60_000 },
        { at: 322_511, kind: 'unassign', which: 61 },
      ],
    },
  ],
  [
    'its connections are forgotten, too, although the daemon dies before it has done that',
    {
      scene: {
        mode: 'shared',
        size: 'large',
        vSwitches: [24],
        sizing: { minFree: 1, maxFree: 2 },
        more: {},
        coolDown: 30_000,
        transit: 0,
        chance: 1_106_740_510,
      },
      events: [
        { at: 36_536, kind: 'run', pod: 4, count: 4, patience: 5_000 },
        { at: 53_307, kind: 'end', pod: 5, count: 3 },
        { at: 134_982, kind: 'run', pod: 0, count: 3, patience: 5_000 },
        { at: 245_555, kind: 'delete', which: 51 },
        { at: 305_863, kind: 'crash', spot: 'before write', nth: 3, pause: 628 },
        { at: 308_496, kind: 'end', pod: 4, count: 1 },
        { at: 331_347, kind: 'recreate', pod: 0 },
      ],
    },
  ],
  [
    'with an ENI for each pod an adaptive pool keeps no more of them than it may',
    {
      scene: {
        mode: 'dual exclusive',
        size: 'large',
        vSwitches: [24],
        sizing: { minFree: 1, maxFree: 2 },
        more: { strategy: 'adaptive' },
        coolDown: 30_000,
        transit: 0,
        chance: 2_002_394_633,
      },
      events: [{ at: 9_392, kind: 'run', pod: 10, count: 5, patience: 500 }],
    },
  ],
  [
    'an adaptive pool does not ask for what it gives back at once',
    {
      scene: {
        mode: 'shared',
        size: 'tiny',
        vSwitches: [24],
        sizing: { minFree: 1, maxFree: 2 },
        more: { order: 'fewest-pods', strategy: 'adaptive', reserve: 0.5, warmUp: { batch: 2, interval: 5_000 } },
        coolDown: 30_000,
        transit: 0,
        chance: 509_698_872,
      },
      events: [{ at: 244_948, kind: 'limits', sizing: { minFree: 6, maxFree: 12 } }],
    },
  ],
  [
    'an assignment that fails says nothing of the ENI, which somebody has detached',
    {
      scene: {
        mode: 'shared',
        size: 'tiny',
        vSwitches: [24],
        sizing: { minFree: 1, maxFree: 2 },
        more: {},
        coolDown: 30_000,
        transit: 0,
        chance: 13,
      },
      events: [
        { at: 359_982, kind: 'trouble', odds: { attachHangs: 1, detachHangs: 1 }, for: 75_723 },
        { at: 359_986, kind: 'trouble', odds: { deleteHangs: 0.2, arrivesLate: 1 }, for: 103_413 },
        { at: 359_988, kind: 'run', pod: 11, count: 6, patience: 60_000 },
        { at: 359_993, kind: 'delete', which: 53 },
      ],
    },
  ],
]

test.each(FOUND)('%s', async (_, history) => {
  await play(history)
})
