/** The phases that the plugin tells on standard error when it is asked to. */
import { z } from 'zod'
import type { Run } from './exec/protocol.ts'

export const TRACED = { TERWAY_CNI_TRACE: '1' }

const TRACE = z.object({
  /** ms each. */
  phases: z.object({ start: z.number(), read: z.number(), connect: z.number(), call: z.number(), print: z.number() }),
  /** When Node began to start, ms since the epoch. */
  startedAt: z.number(),
})

/** In order: they make up the whole time from exec to exit. */
export const PLUGIN_PHASES = ['exec', 'start', 'read', 'connect', 'call', 'print', 'exit'] as const
export type PluginPhases = Readonly<Record<(typeof PLUGIN_PHASES)[number], number>>

/** What only the outside sees is before the process counts its time and after it; undefined when it told nothing. */
export function pluginPhases({ began, took, stderr }: Run): PluginPhases | undefined {
  const line = stderr.split('\n').find((text) => text.startsWith('{"phases"'))
  if (line === undefined) return undefined
  const { phases, startedAt } = TRACE.parse(JSON.parse(line))
  const exec = startedAt - began
  const inside = Object.values(phases).reduce((sum, one) => sum + one, 0)
  return { exec, ...phases, exit: took - exec - inside }
}
