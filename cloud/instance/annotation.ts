/** The node's annotation with its instance type, which spares nodes without the permission to ask the API. */
import { z } from 'zod'
import { INSTANCE_TYPE, type InstanceType } from './instance-type.ts'

export const INSTANCE_TYPE_ANNOTATION = 'alibabacloud.com/instance-type-info'

export class InstanceTypeAnnotationError extends Error {
  override readonly name = 'InstanceTypeAnnotationError'
  readonly advice = `correct or remove the annotation ${INSTANCE_TYPE_ANNOTATION} of the node`

  constructor(problem: string, cause?: unknown) {
    super(`the annotation ${INSTANCE_TYPE_ANNOTATION} ${problem}`, { cause })
  }
}

/**
 * @param text JSON of one `InstanceType` of DescribeInstanceTypes.
 * @throws InstanceTypeAnnotationError when it is not that, or is about another type than the node's.
 */
export function parseInstanceTypeAnnotation(text: string, nodesType: string): InstanceType {
  const result = INSTANCE_TYPE.safeParse(parseJson(text))
  if (!result.success) throw new InstanceTypeAnnotationError(`is wrong: ${z.prettifyError(result.error)}`, result.error)
  const { id } = result.data
  if (id === nodesType) return result.data
  throw new InstanceTypeAnnotationError(`is about ${JSON.stringify(id.slice(0, 80))}, this node is an ${nodesType}`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new InstanceTypeAnnotationError('is not JSON', cause)
  }
}
