/** Name of a network link, checked as the kernel and the CNI specification check it. */

declare const brand: unique symbol
export type LinkName = string & { readonly [brand]: 'LinkName' }

/** `IFNAMSIZ` of linux/if.h without the terminating zero. */
export const LINK_NAME_MAX = 15

export class LinkNameError extends Error {
  override readonly name = 'LinkNameError'
}

/**
 * CNI spec 1.1 §"Parameters" and the kernel's `dev_valid_name`: 1 to 15 bytes, not `.` or `..`, no slash, colon,
 * whitespace or control character.
 * @throws LinkNameError that says which of these is broken.
 */
export function parseLinkName(text: string): LinkName {
  const quoted = JSON.stringify(text.length > 32 ? `${text.slice(0, 32)}…` : text)
  const length = Buffer.byteLength(text)
  if (length === 0) throw new LinkNameError('link name is empty')
  if (length > LINK_NAME_MAX) {
    throw new LinkNameError(`link name ${quoted} has ${length} bytes, the kernel allows ${LINK_NAME_MAX}`)
  }
  if (text === '.' || text === '..') throw new LinkNameError(`link name ${quoted} is reserved`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
  if (/[/:\s\u0000-\u001f\u007f]/.test(text)) {
    throw new LinkNameError(`link name ${quoted} holds a slash, colon, whitespace or control character`)
  }
  return text as LinkName
}
