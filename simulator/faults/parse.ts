/** From the JSON of a request to a fault. */
import { z } from 'zod'
import { statusOf } from '../cloud/error.ts'
import type { EniId, NodeName, VSwitchId } from '../region/ids.ts'
import type { Region } from '../region/region.ts'
import { actionsOf, type Effect, type Fault, type Selector } from './fault.ts'
import { matchesGlob } from './glob.ts'

/** The JSON is no fault; the message names the key and what is allowed. */
export class FaultError extends Error {
  override readonly name = 'FaultError'
}

export interface Surroundings {
  readonly region: Region
  /** Names of all actions. */
  readonly actions: readonly string[]
}

/** A day: no test waits longer. */
const MAX_MILLISECONDS = 86_400_000
/** The cloud remembers fifteen minutes, and its answers may be ten minutes late without any fault. */
const MAX_STALE = 300_000
const milliseconds = z.int().min(1).max(MAX_MILLISECONDS)
const count = z.int().min(1).max(1_000_000)
const when = z.enum(['before', 'after'])
const errorStatus = z.int().min(400).max(599)
const code = z.string().regex(/^[A-Za-z][A-Za-z0-9._-]{0,127}$/, 'must look like InternalError')
const eni = z.string().regex(/^eni-[a-z0-9]{1,60}$/, 'must look like eni-sim00000003')

const SELECTOR = z.strictObject({
  action: z.string().min(1).optional(),
  node: z.string().optional(),
  key: z.string().min(1).optional(),
  eni: eni.transform((text) => text as EniId).optional(),
  vSwitch: z.string().optional(),
  path: z.string().min(1).optional(),
  nth: count.optional(),
  after: count.optional(),
  times: count.optional(),
  for: milliseconds.optional(),
  probability: z.number().gt(0).max(1).optional(),
})

/** Codes that the table of errors does not have: those of the service's own failures are 5xx. */
const statusOfAny = (name: string): number =>
  statusOf(name) ?? (/^(Internal|ServiceUnavailable)/.test(name) ? 500 : 400)

const ANSWERS = {
  stale: z.strictObject({ answer: z.literal('stale'), by: milliseconds.max(MAX_STALE) }).transform(({ by }): Effect => {
    return { kind: 'stale', by }
  }),
  missing: z.strictObject({ answer: z.literal('missing') }).transform((): Effect => ({ kind: 'missing' })),
  'empty-id': z.strictObject({ answer: z.literal('empty-id') }).transform((): Effect => outcome({ kind: 'empty-id' })),
  html: z
    .strictObject({ answer: z.literal('html'), status: errorStatus.default(502), when: when.default('before') })
    .transform((page): Effect => outcome({ kind: 'page', status: page.status, when: page.when })),
  truncated: z.strictObject({ answer: z.literal('truncated') }).transform((): Effect => outcome({ kind: 'truncated' })),
}

/** By the key that tells the effects apart. */
const EFFECTS = {
  delay: z.strictObject({ delay: milliseconds }).transform(({ delay }): Effect => {
    return { kind: 'delay', when: 'after', milliseconds: delay }
  }),
  delayBefore: z.strictObject({ delayBefore: milliseconds }).transform(({ delayBefore }): Effect => {
    return { kind: 'delay', when: 'before', milliseconds: delayBefore }
  }),
  error: z
    .strictObject({
      error: code,
      status: errorStatus.optional(),
      message: z.string().default('A fault was asked for.'),
      retryAfter: milliseconds.optional(),
    })
    .transform(({ error, status, message, retryAfter }): Effect => {
      const wait = retryAfter === undefined ? {} : { retryAfter }
      return outcome({ kind: 'error', code: error, status: status ?? statusOfAny(error), message, ...wait })
    }),
  throttle: z
    .strictObject({
      throttle: milliseconds,
      code: code.refine((text) => text.includes('Throttling'), 'must contain Throttling').default('Throttling.User'),
    })
    .transform((effect): Effect => ({ kind: 'throttle', milliseconds: effect.throttle, code: effect.code })),
  timeout: z
    .strictObject({ timeout: when })
    .transform(({ timeout }): Effect => outcome({ kind: 'silence', when: timeout })),
  reset: z.strictObject({ reset: when }).transform(({ reset }): Effect => outcome({ kind: 'reset', when: reset })),
  answer: z
    .looseObject({ answer: z.enum(['stale', 'missing', 'empty-id', 'html', 'truncated']) })
    .transform((effect, context): Effect => {
      const parsed = ANSWERS[effect.answer].safeParse(effect)
      if (parsed.success) return parsed.data
      for (const { path, message } of parsed.error.issues) context.addIssue({ code: 'custom', path, message })
      return z.NEVER
    }),
  attach: z
    .strictObject({ attach: z.enum(['hang', 'fail']) })
    .transform(({ attach }): Effect => ({ kind: 'transition', step: 'attach', fault: attach })),
  detach: z
    .strictObject({ detach: z.literal('hang') })
    .transform(({ detach }): Effect => ({ kind: 'transition', step: 'detach', fault: detach })),
  delete: z
    .strictObject({ delete: z.literal('hang') })
    .transform((effect): Effect => ({ kind: 'transition', step: 'delete', fault: effect.delete })),
  vSwitch: z
    .strictObject({ vSwitch: z.string(), availableIps: z.int().min(0) })
    .transform(({ vSwitch, availableIps }): Effect => {
      return { kind: 'free-ips', vSwitch: vSwitch as VSwitchId, availableIps }
    }),
  metadata: z
    .strictObject({ metadata: z.strictObject({ status: z.union([errorStatus, z.literal('timeout')]) }) })
    .transform(({ metadata }): Effect => ({ kind: 'metadata', status: metadata.status })),
}
type EffectKey = keyof typeof EFFECTS
const EFFECT_KEYS = Object.keys(EFFECTS) as EffectKey[]

function outcome(value: Extract<Effect, { kind: 'outcome' }>['outcome']): Effect {
  return { kind: 'outcome', outcome: value }
}

const FAULT = z.strictObject({
  name: z.string().min(1).max(100).optional(),
  select: SELECTOR.default({}),
  effect: z.record(z.string(), z.unknown()),
})

/** @throws FaultError */
export function parseFault(json: unknown, surroundings: Surroundings): Fault {
  const { name, select, effect: asked } = unwrap(FAULT.safeParse(json), '')
  const effect = parseEffect(asked)
  const { node, vSwitch, ...rest } = select
  const selector = {
    ...rest,
    ...(node === undefined ? {} : { node: node as NodeName }),
    ...(vSwitch === undefined ? {} : { vSwitch: vSwitch as VSwitchId }),
  } as Selector
  checkSelector(selector, effect, surroundings)
  return { ...(name === undefined ? {} : { name }), select: selector, effect, asked }
}

function parseEffect(asked: Readonly<Record<string, unknown>>): Effect {
  const [key, ...more] = EFFECT_KEYS.filter((candidate) => candidate in asked)
  if (key === undefined) throw new FaultError(`effect: must have one of ${EFFECT_KEYS.join(', ')}`)
  if (more.length > 0) throw new FaultError(`effect: ${[key, ...more].join(' and ')} exclude each other`)
  return unwrap(EFFECTS[key].safeParse(asked), 'effect.')
}

function unwrap<T>(parsed: z.ZodSafeParseResult<T>, at: string): T {
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => {
    const key = `${at}${path.join('.')}`.replace(/\.$/, '')
    return key === '' ? message : `${key}: ${message}`
  })
  throw new FaultError(problems.join('; '))
}

const COUNTING = ['nth', 'after', 'times', 'for', 'probability'] as const
const ON_CALLS = ['action', 'node', 'key', 'eni', 'vSwitch', ...COUNTING] as const
const ON_TRANSITIONS = ['node', 'eni', 'vSwitch', ...COUNTING] as const

function selectable(effect: Effect): readonly (keyof Selector)[] {
  if (effect.kind === 'transition') return ON_TRANSITIONS
  if (effect.kind === 'metadata') return ['node', 'path', ...COUNTING]
  if (effect.kind === 'free-ips') return ['for']
  return ON_CALLS
}

function checkSelector(select: Selector, effect: Effect, { region, actions }: Surroundings): void {
  const allowed = selectable(effect)
  const wrong = (Object.keys(select) as (keyof Selector)[]).find((key) => !allowed.includes(key))
  if (wrong !== undefined) throw new FaultError(`select.${wrong}: this effect is selected by ${allowed.join(', ')}`)
  if (select.nth !== undefined && (select.after ?? select.times) !== undefined) {
    throw new FaultError('select.nth: goes neither with after nor with times')
  }
  const nodes = region.nodes.map((node) => node.name)
  if (select.node !== undefined && !nodes.includes(select.node)) throw unknownName('select.node', nodes)
  const vSwitches = [...region.vSwitches.keys()]
  if (select.vSwitch !== undefined && !vSwitches.includes(select.vSwitch)) {
    throw unknownName('select.vSwitch', vSwitches)
  }
  if (effect.kind === 'free-ips' && !vSwitches.includes(effect.vSwitch)) throw unknownName('effect.vSwitch', vSwitches)
  const affected = actions.filter((action) => actionsOf(effect).test(action))
  const { action } = select
  if (action !== undefined && !affected.some((name) => matchesGlob(action, name))) {
    throw unknownName('select.action', affected)
  }
}

/** Named in full up to this many. */
const MANY = 40

function unknownName(key: string, known: readonly string[]): FaultError {
  const rest = known.length > MANY ? ` and ${known.length - MANY} more` : ''
  return new FaultError(`${key}: must match one of ${known.slice(0, MANY).join(', ')}${rest}`)
}
