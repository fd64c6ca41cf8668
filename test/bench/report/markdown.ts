/** Tables of Markdown. */

export interface Column {
  readonly head: string
  /** Left unless it is for numbers. */
  readonly numbers?: true
}

/** @param rows as many cells as there are columns */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = columns.map(({ numbers }) => (numbers === true ? '---:' : '---'))
  return [line(columns.map(({ head }) => head)), line(rule), ...rows.map(line)].join('\n')
}

export function numbers(...heads: readonly string[]): Column[] {
  return heads.map((head) => ({ head, numbers: true }))
}
