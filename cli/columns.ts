/** Text in columns. */

/** Each column as wide as its longest cell, two spaces between them; the last one is not padded. */
export function columns(rows: readonly (readonly string[])[]): string[][] {
  const last = Math.max(...rows.map((row) => row.length)) - 1
  const widths = Array.from({ length: last }, (_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)) + 2)
  return rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)))
}

/** Columns that a line may have: as COLUMNS says, else as the terminal; into a pipe or a file as many as it takes. */
export function lineWidth(stream: { readonly columns?: number }, { COLUMNS = '' }: NodeJS.ProcessEnv): number {
  return /^[1-9]\d*$/.test(COLUMNS) ? Number(COLUMNS) : (stream.columns ?? Number.POSITIVE_INFINITY)
}
