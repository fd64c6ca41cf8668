/** Objects of a plan with the kernel's beside them: what differs is told by its sign and its colour. */
import type { PlannedObject__Output as PlannedObject } from '../proto/generated/terway/inspect/v1/PlannedObject.ts'
import { columns } from './columns.ts'
import type { Paint, Tone } from './paint.ts'

export interface ObjectOptions {
  readonly paint: Paint
  /** Columns of a line. */
  readonly width: number
  /** Leaves out what is as planned. */
  readonly onlyProblems: boolean
}

interface Sign {
  readonly sign: string
  readonly tone: Tone
}
const SIGNS: Readonly<Record<string, Sign>> = {
  same: { sign: '✓', tone: 'good' },
  missing: { sign: '✗', tone: 'bad' },
  different: { sign: '≠', tone: 'waiting' },
  tolerated: { sign: '·', tone: 'plain' },
}
/** Of a later daemon. */
const UNKNOWN: Sign = { sign: '?', tone: 'plain' }
const HEADS = ['', 'NETNS', 'OBJECT', 'PLAN', 'KERNEL'] as const

const signOf = ({ state }: PlannedObject): Sign => SIGNS[state] ?? UNKNOWN

export function isProblem({ state }: PlannedObject): boolean {
  return state === 'missing' || state === 'different'
}

function kernelText({ state, found }: PlannedObject): string {
  switch (state) {
    case 'missing':
      return 'missing'
    case 'tolerated':
      return found === '' ? 'none here' : `${found}, and cannot be written`
    default:
      return found === '' ? state : found
  }
}

/** What differs all in its colour, of what does not only the sign. */
function painted(object: PlannedObject, line: string, paint: Paint): string {
  const { sign, tone } = signOf(object)
  return isProblem(object) ? paint(tone, line) : `${paint(tone, sign)}${line.slice(sign.length)}`
}

/** A table; where it would not fit, one object below the other, so that a terminal cuts nothing off. */
export function objectLines(objects: readonly PlannedObject[], options: ObjectOptions): string[] {
  const shown = options.onlyProblems ? objects.filter(isProblem) : objects
  if (shown.length === 0) return []
  const rows = shown.map((one) => [signOf(one).sign, one.netns, one.object, one.wanted, kernelText(one)])
  const [head = '', ...lines] = columns([HEADS, ...rows]).map((cells) => cells.join(''))
  if (Math.max(...lines.map((line) => line.length)) > options.width)
    return shown.flatMap((one) => stacked(one, options))
  return [head, ...shown.map((one, at) => painted(one, lines[at] ?? '', options.paint))]
}

function stacked(object: PlannedObject, { paint }: ObjectOptions): string[] {
  const title = `${signOf(object).sign} ${object.netns} ${object.object}`
  if (object.state === 'same') return [painted(object, `${title} ${object.wanted}`, paint)]
  const sides = [`    plan    ${object.wanted}`, `    kernel  ${kernelText(object)}`]
  const { tone } = signOf(object)
  return [painted(object, title, paint), ...sides.map((line) => (isProblem(object) ? paint(tone, line) : line))]
}

/** `kernel differs in 2 of 23 objects: 1 missing, 1 different` */
export function objectSummary(objects: readonly PlannedObject[], paint: Paint): string {
  const count = (state: string) => objects.filter((object) => object.state === state).length
  const told = (['missing', 'different'] as const).flatMap((state) => {
    return count(state) === 0 ? [] : [`${count(state)} ${state}`]
  })
  if (told.length === 0) return paint('good', `kernel is as planned; objects: ${objects.length}`)
  const problems = objects.filter(isProblem).length
  return paint('bad', `kernel differs in ${problems} of ${objects.length} objects: ${told.join(', ')}`)
}
