/** Colours, on a terminal only. */
import { styleText } from 'node:util'

export type Tone = 'plain' | 'strong' | 'good' | 'waiting' | 'bad'
export type Paint = (tone: Tone, text: string) => string

const STYLE = { plain: 'reset', strong: 'bold', good: 'green', waiting: 'yellow', bad: 'red' } as const

/** Paints only when the stream is a terminal and the environment does not say otherwise (NO_COLOR, FORCE_COLOR). */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  return (tone, text) => (tone === 'plain' ? text : styleText(STYLE[tone], text, { stream }))
}
