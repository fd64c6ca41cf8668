/** Keys that an operator's template leaves empty. */

/** The object without the keys that hold null or an empty text; anything else as it is. */
export function withoutUnset(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null && field !== ''))
}
