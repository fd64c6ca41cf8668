/** What histories contained, added up, so that a reader sees that they are not empty. */

export type Tally = ReadonlyMap<string, number>

export function sumOf(tallies: Iterable<Tally>): Tally {
  const sum = new Map<string, number>()
  for (const tally of tallies) for (const [name, count] of tally) sum.set(name, (sum.get(name) ?? 0) + count)
  return sum
}

/** A line for each group: what the name says before its first colon. */
export function tableOf(tally: Tally): string {
  const groups = new Map<string, string[]>()
  for (const [name, count] of [...tally].sort(([a], [b]) => a.localeCompare(b))) {
    const [group = '', rest = ''] = name.split(': ')
    groups.set(group, [...(groups.get(group) ?? []), `${rest}${rest === '' ? '' : ' '}${Math.round(count)}`])
  }
  return [...groups].map(([group, items]) => `  ${group.padEnd(12)} ${items.join(', ')}`).join('\n')
}
