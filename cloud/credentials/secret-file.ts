/** Files that hold secrets: what is wrong with one is told without a word of what stands in it. */
import { readFile } from 'node:fs/promises'
import { advisedError } from '../advised-error.ts'
import type { CloudError } from '../error.ts'

export interface SecretFile {
  readonly path: string
  /** What the operator can do when it cannot be used. */
  readonly advice: string
}

/** @throws CloudError (`CredentialFile`) */
export async function readSecretFile(file: SecretFile): Promise<string> {
  try {
    return await readFile(file.path, 'utf8')
  } catch (cause) {
    throw secretFileError(file, `cannot be read (${errnoOf(cause)})`)
  }
}

/** The one word in a file, white space around it removed. @throws CloudError (`CredentialFile`) */
export async function readSecretWord(file: SecretFile): Promise<string> {
  const word = (await readSecretFile(file)).trim()
  if (!isSecretWord(word)) throw secretFileError(file, 'does not hold one word of printable ASCII')
  return word
}

/** Key ids, secrets and tokens travel in HTTP headers and forms: anything else would fail there, and be quoted. */
export function isSecretWord(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text)
}

/** Without a cause: the messages of parsers quote what they parse. */
export function secretFileError({ path, advice }: SecretFile, problem: string): CloudError {
  return advisedError(`${path} ${problem}`, { action: 'credential', code: 'CredentialFile', advice })
}

function errnoOf(cause: unknown): string {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : 'unknown error'
}
