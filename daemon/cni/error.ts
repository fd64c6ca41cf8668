/** How an error leaves the daemon as the answer to a CNI call. */
import { CniError, CniErrorCode } from '../../proto/cni-error.ts'
import type { Error as ErrorMessage } from '../../proto/generated/terway/cni/v1/Error.ts'

export { CniError, CniErrorCode } from '../../proto/cni-error.ts'

/** Messages of an error and of what caused it, outermost first. */
function chain(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)]
  return error.cause === undefined ? [error.message] : [error.message, ...chain(error.cause)]
}

/** Errors that are not a `CniError` are faults of the program: code 100, reason `internal`. */
export function toErrorMessage(error: unknown): Required<ErrorMessage> {
  if (error instanceof CniError) return { code: error.code, msg: error.message, details: error.details }
  return {
    code: CniErrorCode.internal,
    msg: `internal: ${chain(error).join(': ')}`,
    details: 'this is a fault of Terway; the log of terwayd holds the stack',
  }
}
