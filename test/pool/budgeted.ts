/** A transport that waits for its turn in the client's budget, and tells it of the answers. It repeats nothing. */
import type { Budget } from '../../cloud/budget/budget.ts'
import { isCloudError } from '../../cloud/error.ts'
import type { Transport } from '../../cloud/transport.ts'

export function budgeted(transport: Transport, budget: Budget): Transport {
  return async (call, options = {}) => {
    const permit = await budget.acquire(call.action, { priority: 'prewarm', ...options })
    try {
      const body = await transport(call, options)
      permit.succeeded()
      return body
    } catch (error) {
      if (isCloudError(error, 'throttled')) permit.throttled(error.retryAfter)
      throw error
    }
  }
}
