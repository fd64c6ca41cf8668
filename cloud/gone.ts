/** Taking away what is not there any more is no failure: the end that was asked for is reached. */
import { isCloudError } from './error.ts'

/** The ENI does not exist. */
export const NO_ENI = ['InvalidEniId.NotFound'] as const
/** The ENI or its instance does not exist. */
export const NO_ENI_OR_INSTANCE = [...NO_ENI, 'InvalidEcsId.NotFound', 'InvalidInstanceId.NotFound'] as const

export function hasCode(error: unknown, codes: readonly string[]): boolean {
  return isCloudError(error) && codes.includes(error.code)
}

/** Ends well also when the call fails with one of the codes. @throws whatever else the call throws. */
export async function unlessGone(call: Promise<unknown>, codes: readonly string[]): Promise<void> {
  try {
    await call
  } catch (error) {
    if (!hasCode(error, codes)) throw error
  }
}
