/** What there is to say about a configuration beside its value. */

export interface Findings {
  /** Each of them refuses the configuration. */
  readonly problems: string[]
  readonly warnings: string[]
}

/** A setting, and the name under which it was found. */
export interface Given<T> {
  readonly key: string
  readonly value: T
}

/** A setting that has several names in the documents. Two of them that differ are a problem, since neither is right. */
export function settingOf<T extends string | number | boolean>(
  names: Readonly<Record<string, T | undefined>>,
  { problems }: Findings,
): Given<T> | undefined {
  const [first, ...others] = Object.entries(names).flatMap(([key, value]) =>
    value === undefined ? [] : { key, value },
  )
  const other = others.find(({ value }) => value !== first?.value)
  if (first !== undefined && other !== undefined) {
    problems.push(`${first.key} and ${other.key} are the same setting and must not differ`)
  }
  return first
}
