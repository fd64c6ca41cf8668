/** What somebody may have meant who wrote something that does not exist. */

/** The known text that takes the fewest changes of one character to reach (Levenshtein). `known` is not empty. */
export function nearest(text: string, known: readonly string[]): string {
  return known.reduce((best, candidate) => (distance(text, candidate) < distance(text, best) ? candidate : best))
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, character] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (character === other ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
