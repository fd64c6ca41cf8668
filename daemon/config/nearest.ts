/** For a key that is not known, most often a slip of the pen. */

/** More slips than this are another word. */
const MAX_DISTANCE = 3

/** @returns `; did you mean …?` with the known key that is most alike, or nothing. */
export function hintAt(key: string, known: readonly string[]): string {
  const [nearest] = known
    .map((name) => ({ name, distance: editDistance(key, name) }))
    .sort((a, b) => a.distance - b.distance)
  return nearest !== undefined && nearest.distance <= MAX_DISTANCE ? `; did you mean ${nearest.name}?` : ''
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
