/** What the client makes of an answer of the gateway: what the SDK core throws for it, read by the client's own reader. */
import { toCloudError } from '../../cloud/transport/failed-answer.ts'
import type { ApiResponse } from '../../simulator/api/response.ts'

/**
 * The body of the answer; never settles for one that does not come.
 * @throws CloudError
 */
export async function bodyOf(action: string, response: ApiResponse): Promise<unknown> {
  switch (response.delivery.kind) {
    case 'silence':
      return await Promise.withResolvers().promise
    case 'reset':
      throw toCloudError(action, { code: 'ECONNRESET', message: 'read ECONNRESET' }, [])
    case 'page':
    case 'truncated':
      throw toCloudError(action, { name: 'SyntaxError' }, [])
    case 'whole':
      if (response.status === 200) return response.body
      throw toCloudError(action, thrownFor(response), [])
  }
}

/** The fields of the SDK's errors. It reads the time to wait of throttled calls only. */
function thrownFor({ status, body, headers }: ApiResponse) {
  const code = String(body.Code)
  const wait = headers['x-acs-retry-after']
  return {
    ...{ statusCode: status, code, requestId: body.RequestId, data: body },
    ...(wait === undefined || !code.includes('Throttling') ? {} : { retryAfter: Number.parseInt(wait, 10) }),
  }
}
