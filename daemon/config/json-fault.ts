/** Where a text stops being JSON. What JSON.parse says of it quotes the text, which may hold a secret. */

const STRING = String.raw`"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"`
const SCALAR = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null`
const TOKEN = new RegExp(String.raw`([ \t\r\n]*)(?:(${STRING})|(?:${SCALAR})|([[\]{}:,]))`, 'gy')

type State = 'value' | 'first-item' | 'first-key' | 'key' | 'colon' | 'end' | 'end[' | 'end{'
type Next = Readonly<Record<string, State | undefined>>

/** RFC 8259: what may come in a state, and the state after it. `end[` is the end of a value in an array. */
const VALUE: Next = { string: 'end', scalar: 'end', '[': 'first-item', '{': 'first-key' }
const NEXT: Readonly<Record<State, Next>> = {
  value: VALUE,
  'first-item': { ...VALUE, ']': 'end' },
  'first-key': { string: 'colon', '}': 'end' },
  key: { string: 'colon' },
  colon: { ':': 'value' },
  'end[': { ',': 'value', ']': 'end' },
  'end{': { ',': 'key', '}': 'end' },
  end: {},
}

/** @returns `line 3, column 7` of what JSON does not allow there; undefined when the text is JSON. */
export function jsonFault(text: string): string | undefined {
  const open: Opening[] = []
  let state: State = 'value'
  let at = 0
  for (const [token, space = '', string, mark] of text.matchAll(TOKEN)) {
    const next: State | undefined = NEXT[state][mark ?? (string === undefined ? 'scalar' : 'string')]
    if (next === undefined) return placeOf(text, at + space.length)
    nest(open, mark)
    state = next === 'end' ? endIn(open.at(-1)) : next
    at += token.length
  }
  const rest = text.slice(at).search(/[^ \t\r\n]/)
  if (rest >= 0) return placeOf(text, at + rest)
  return state === 'end' ? undefined : placeOf(text, text.length)
}

type Opening = '[' | '{'

function nest(open: Opening[], mark: string | undefined): void {
  if (mark === '[' || mark === '{') open.push(mark)
  if (mark === ']' || mark === '}') open.pop()
}

function endIn(open: Opening | undefined): State {
  return open === undefined ? 'end' : `end${open}`
}

/** Counted from 1. */
function placeOf(text: string, at: number): string {
  const before = text.slice(0, at).split('\n')
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`
}
