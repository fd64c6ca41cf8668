import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { bandwidthOf, priorityOf } from './bandwidth.ts'
import { parseNetConf } from './netconf.ts'

const ANNOTATIONS = 'io.kubernetes.cri.pod-annotations'

function confOf({
  bandwidth,
  annotations,
  priority = false,
}: {
  bandwidth?: object
  annotations?: object
  priority?: boolean
}) {
  const runtimeConfig = { bandwidth, [ANNOTATIONS]: annotations }
  const conf = { cniVersion: '1.0.0', name: 'terway', enable_network_priority: priority, runtimeConfig }
  return parseNetConf(Buffer.from(JSON.stringify(conf)), 'ADD')
}

const limitsOf = (given: Parameters<typeof confOf>[0]) => bandwidthOf(confOf(given))

test('nothing asked for: no limit', () => {
  expect(limitsOf({})).toEqual({ limits: {}, warnings: [] })
})

describe('what the runtime asks for', () => {
  test('becomes bytes, each direction for itself', () => {
    expect(limitsOf({ bandwidth: { ingressRate: 8_000_000, ingressBurst: 80_000 } }).limits).toEqual({
      ingress: { rate: 1_000_000, burst: 10_000 },
    })
    expect(limitsOf({ bandwidth: { egressRate: 8e12, egressBurst: 16 } }).limits).toEqual({
      egress: { rate: 1e12, burst: 2 },
    })
  })

  test.each([
    ['containerd', { IngressRate: 8e6, IngressBurst: 4_294_967_295, EgressRate: 16e6, EgressBurst: 4_294_967_295 }],
    ['CRI-O', { ingressRate: 8e6, ingressBurst: 34_359_738_360, egressRate: 16e6, egressBurst: 34_359_738_360 }],
  ])('by %s comes with a burst that means none', (_runtime, bandwidth) => {
    expect(limitsOf({ bandwidth }).limits).toEqual({ ingress: { rate: 1e6 }, egress: { rate: 2e6 } })
  })

  test('a limit below a byte per second is still a limit', () => {
    expect(limitsOf({ bandwidth: { ingressRate: 1 } }).limits).toEqual({ ingress: { rate: 1 } })
  })

  test('a burst without a rate limits nothing', () => {
    expect(limitsOf({ bandwidth: { ingressBurst: 80_000 } }).limits).toEqual({})
  })

  test('goes before the annotations, in its direction', () => {
    const annotations = { 'kubernetes.io/ingress-bandwidth': '1M', 'k8s.aliyun.com/egress-bandwidth': '1M' }
    expect(limitsOf({ bandwidth: { ingressRate: 8e6 }, annotations }).limits).toEqual({
      ingress: { rate: 1e6 },
      egress: { rate: 1024 ** 2 },
    })
  })
})

describe('annotations', () => {
  test.each([
    ['1k', 125],
    ['10M', 1_250_000],
    ['1.5G', 187_500_000],
    ['10Mi', 1_310_720],
    ['8e6', 1_000_000],
    ['8E+6', 1_000_000],
    ['8000000000m', 1_000_000],
    ['1P', 125_000_000_000_000],
    ['8001', 1001],
  ])('kubernetes.io/ingress-bandwidth %s', (text, rate) => {
    const annotations = { 'kubernetes.io/ingress-bandwidth': text }
    expect(limitsOf({ annotations })).toEqual({ limits: { ingress: { rate } }, warnings: [] })
  })

  test.each([
    ['1B', 1],
    ['10K', 10 * 1024],
    ['10kb', 10 * 1024],
    ['10KiB', 10 * 1024],
    ['1.5M', 1.5 * 1024 ** 2],
    ['2GB', 2 * 1024 ** 3],
    ['.5TiB', 0.5 * 1024 ** 4],
    [' 1M ', 1024 ** 2],
  ])('k8s.aliyun.com/egress-bandwidth %s', (text, rate) => {
    const annotations = { 'k8s.aliyun.com/egress-bandwidth': text }
    expect(limitsOf({ annotations })).toEqual({ limits: { egress: { rate } }, warnings: [] })
  })

  test.each(['10', '0M', '-1M', 'M', '1X', '1 M', '1e3M', '1MBit', '9999T'])(
    'k8s.aliyun.com/ingress-bandwidth %j is ignored and told',
    (text) => {
      const annotations = { 'k8s.aliyun.com/ingress-bandwidth': text }
      expect(limitsOf({ annotations })).toEqual({
        limits: {},
        warnings: [
          `annotation k8s.aliyun.com/ingress-bandwidth ${JSON.stringify(text)} is ignored: ` +
            'it must be a number above 0 with B, K, M, G or T bytes per second, like 1.5M',
        ],
      })
    },
  )

  test.each(['0', '999', '1.1P', '1E', '-1M', '10m', '10MB', '10 M', '1e99', 'much'])(
    'kubernetes.io/egress-bandwidth %j is ignored and told, and the older one counts',
    (text) => {
      const annotations = { 'kubernetes.io/egress-bandwidth': text, 'k8s.aliyun.com/egress-bandwidth': '1K' }
      expect(limitsOf({ annotations })).toEqual({
        limits: { egress: { rate: 1024 } },
        warnings: [
          `annotation kubernetes.io/egress-bandwidth ${JSON.stringify(text)} is ignored: ` +
            'it must be a quantity of bits per second from 1k to 1P, like 10M',
        ],
      })
    },
  )

  test('whatever they hold: a whole positive rate, or a warning, or nothing was said', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^\d{0,6}(\.\d{0,3})?([numkMGTPE]i?|[KMGTB]|KB)?$/))
    const key = fc.constantFrom('kubernetes.io/ingress-bandwidth', 'k8s.aliyun.com/ingress-bandwidth')
    fc.assert(
      fc.property(key, text, (name, value) => {
        const { limits, warnings } = limitsOf({ annotations: { [name]: value } })
        if (limits.ingress !== undefined) {
          expect(Number.isSafeInteger(limits.ingress.rate) && limits.ingress.rate >= 1).toBe(true)
        }
        expect((limits.ingress === undefined ? 0 : 1) + warnings.length).toBe(value.trim() === '' ? 0 : 1)
      }),
    )
  })
})

describe('network priority', () => {
  const annotated = (value: string, priority = true) =>
    priorityOf(confOf({ annotations: { 'k8s.aliyun.com/network-priority': value }, priority }))

  test.each(['guaranteed', 'burstable', 'best-effort'])('%s', (value) => {
    expect(annotated(value)).toBe(value)
  })

  test('a pod that says nothing, or no word that is known, is in the middle', () => {
    expect(priorityOf(confOf({ priority: true }))).toBe('burstable')
    expect(annotated('')).toBe('burstable')
    expect(annotated('Guaranteed!')).toBe('burstable')
  })

  test('is not looked at unless the configuration asks for it', () => {
    expect(annotated('guaranteed', false)).toBeUndefined()
  })
})
