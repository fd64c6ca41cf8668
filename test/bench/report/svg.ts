/** SVG as text: elements with attributes, nothing more. */

/** The text of an element, or of several. */
export type Markup = string & { readonly markup: unique symbol }

/** @param content elements; use `label` for characters */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...content: readonly Markup[]
): Markup {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(shortened(value))}"`)
  const open = `<${name}${pairs.join('')}`
  return (content.length === 0 ? `${open}/>` : `${open}>${content.join('')}</${name}>`) as Markup
}

export function label(text: string): Markup {
  return escaped(text) as Markup
}

/** A hundredth of a pixel is more than anybody sees. */
function shortened(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value * 100) / 100) : value
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
