/** What a failed effect means. Pure. */
import { isCloudError } from '../../../cloud/error.ts'
import { EniStateError } from './context.ts'

/**
 * True when repeating the call cannot help, so the record that asked for it must be given up. That the cloud does not
 * know or not trust us says nothing about the record.
 */
export function isFinal(error: unknown): boolean {
  return isCloudError(error, 'exhausted', 'permanent', 'not-found')
}

/** True when the next try may succeed without anybody's doing. */
export function isPassing(error: unknown): boolean {
  return isCloudError(error) ? isCloudError(error, 'throttled', 'transient') : error instanceof EniStateError
}

/** In words for the operator. */
export function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
