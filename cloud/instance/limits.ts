/** Where the limits of this node's instance type come from. */
import { CloudError } from '../error.ts'
import { InstanceTypeAnnotationError, parseInstanceTypeAnnotation } from './annotation.ts'
import type { InstanceType } from './instance-type.ts'
import { knownInstanceType } from './table.ts'

export type LimitsSource = 'api' | 'annotation' | 'table'

export interface InstanceLimits {
  readonly type: InstanceType
  readonly source: LimitsSource
  /** Fields that are not known and so stand for the least there is; only with the source `table`. */
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
 * The table is for a type or a key that the API refuses for good: an outage is better waited out, because no ENI can be
 * made while it lasts and the table says less.
 * @throws CloudError of the API when no other source has the type.
 */
export async function instanceLimits({ typeId, ask, annotation }: LimitsSources): Promise<InstanceLimits> {
  const answer = await ask().catch((error: unknown) => asCloudError(error))
  if (!(answer instanceof CloudError)) return { type: answer, source: 'api', assumed: [], problems: [] }
  const annotated = fromAnnotation(annotation, typeId)
  if (annotated instanceof InstanceTypeAnnotationError) {
    return fromTable(typeId, answer, [answer.message, `${annotated.message}; ${annotated.advice}`])
  }
  if (annotated === undefined) return fromTable(typeId, answer, [answer.message])
  return { type: annotated, source: 'annotation', assumed: [], problems: [answer.message] }
}

function asCloudError(error: unknown): CloudError {
  if (error instanceof CloudError) return error
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
  if (known === undefined || mayPass(refusal)) throw refusal
  return { ...known, source: 'table', problems }
}

/** What never reached the API, for want of a credential or by a fault on this side, says nothing about the type. */
function mayPass({ kind, code }: CloudError): boolean {
  return kind === 'throttled' || kind === 'transient' || /^(Client|Credential)/.test(code)
}
