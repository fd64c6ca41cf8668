/** JSON as operators write it: with `//` and `#` comments. */

/**
 * The text with comments blanked out, strings untouched and every line and column where it was, so that a parser's
 * position is the file's.
 */
export function stripComments(text: string): string {
  // A string is matched first and kept, so a comment sign inside it (https://…) starts no comment.
  return text.replace(/"(?:[^"\\\n]|\\.)*"|(?:\/\/|#)[^\n]*/g, (match) =>
    match.startsWith('"') ? match : ' '.repeat(match.length),
  )
}
