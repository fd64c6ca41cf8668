/** Errors of the services beside the API: what an operator can do depends on the place, not on the code. */
import { CloudError, type CloudErrorFields } from './error.ts'

/** The advice stands in the message too: a pod's event or a caller that prints one line has nothing else. */
export function advisedError(problem: string, fields: CloudErrorFields & { readonly advice: string }): CloudError {
  return new CloudError(`${problem}; ${fields.advice}`, fields)
}
