/** Where the limits of this node's instance type come from. */
import type { Action } from '../actions.ts'
import { CloudError, isDenied } from '../error.ts'
import { InstanceTypeAnnotationError, parseInstanceTypeAnnotation } from './annotation.ts'
import type { InstanceType } from './instance-type.ts'
import { knownInstanceType } from './table.ts'

const ACTION: Action = 'DescribeInstanceTypes'

export type LimitsSource = 'api' | 'annotation' | 'table'

export interface InstanceLimits {
  readonly type: InstanceType
  readonly source: LimitsSource
  /** Fields that are not known and so stand for the least there is: not with the source `annotation`. */
  readonly assumed: readonly (keyof InstanceType)[]
  /** Why a better source was not used, in words for the operator. */
  readonly problems: readonly string[]
}

export interface LimitsSources {
  readonly typeId: string
  /** Asks DescribeInstanceTypes. */
  readonly ask: () => Promise<InstanceType>
  /** Value of the node's annotation; undefined when there is none. */
  readonly annotation?: string | undefined
}

/**
 * The API's answer; without one the node's annotation, which is an older answer of the API; then the built-in table.
 * These two are for an API that does not know the type or does not let this identity ask. Everything else is better
 * waited out or put right, because no ENI can be made while it lasts and they say less.
 * @throws CloudError of the API when it is another one, or when no other source has the type.
 */
export async function instanceLimits({ typeId, ask, annotation }: LimitsSources): Promise<InstanceLimits> {
  const answer = await ask().catch(asRefusal)
  if (!(answer instanceof CloudError)) return { type: answer, source: 'api', assumed: [], problems: [] }
  const annotated = fromAnnotation(annotation, typeId)
  if (annotated instanceof InstanceTypeAnnotationError) {
    return fromTable(typeId, answer, [answer.message, `${annotated.message}; ${annotated.advice}`])
  }
  if (annotated === undefined) return fromTable(typeId, answer, [answer.message])
  return { type: annotated, source: 'annotation', assumed: [], problems: [answer.message] }
}

/** The issuers of credentials refuse with the same codes, and then the API has not been asked. */
function asRefusal(error: unknown): CloudError {
  const isApis = error instanceof CloudError && error.action === ACTION
  if (isApis && (error.code.includes('InstanceType') || isDenied(error))) return error
  throw error
}

function fromAnnotation(text: string | undefined, typeId: string) {
  if (text === undefined) return undefined
  try {
    return parseInstanceTypeAnnotation(text, typeId)
  } catch (error) {
    if (error instanceof InstanceTypeAnnotationError) return error
    throw error
  }
}

function fromTable(typeId: string, refusal: CloudError, problems: readonly string[]): InstanceLimits {
  const known = knownInstanceType(typeId)
  if (known === undefined) throw refusal
  return { ...known, source: 'table', problems }
}
