/** What a caller is told when its request fails. */
import { type ServiceError, status } from '@grpc/grpc-js'
import { CloudError } from '../../cloud/error.ts'

/** What was asked for does not exist. */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError'
}

/** Not `UNAVAILABLE`: that is for a daemon that is not there. */
export function failureOf(error: unknown): Pick<ServiceError, 'code' | 'details'> {
  if (error instanceof NotFoundError) return { code: status.NOT_FOUND, details: error.message }
  if (error instanceof CloudError) {
    return { code: status.FAILED_PRECONDITION, details: `${error.message}; ${error.advice}` }
  }
  const details = `${error instanceof Error ? error.message : String(error)}; the log of terwayd holds the rest`
  return { code: status.INTERNAL, details }
}
