/** Actions of the API called by themselves: no signature, no lateness, and a clock that stands still until it is told. */
import type { Answer } from '../../simulator/api/action.ts'
import { ACTIONS } from '../../simulator/api/actions.ts'
import { Parameters } from '../../simulator/api/parameters.ts'
import { TemporaryKeys } from '../../simulator/api/temporary-keys.ts'
import { Cloud } from '../../simulator/cloud/cloud.ts'
import { ApiError } from '../../simulator/cloud/error.ts'
import type { CloudFaults } from '../../simulator/cloud/faults.ts'
import type { Region } from '../../simulator/region/region.ts'

export type Query = Readonly<Record<string, string>>

/** Milliseconds since the epoch; no test looks at the date. */
const START = 1_000_000

export function testActions(region: Region, faults?: CloudFaults) {
  let time = START
  const now = () => time
  const cloud = new Cloud({ region, now, ...(faults === undefined ? {} : { faults }) })
  const temporaryKeys = new TemporaryKeys(now)
  const pass = (milliseconds: number): void => {
    time += milliseconds
    cloud.advance()
  }
  /** @throws ApiError as the action does. */
  const call = (name: string, query: Query = {}): Answer => {
    const action = ACTIONS.get(name)
    if (action === undefined) throw new Error(`there is no action ${name}`)
    const parameters = new Parameters(new Map(Object.entries(query)))
    parameters.only(action.parameters)
    return action.handle(cloud, parameters, { enis: cloud.enis(), shown: (enis) => enis, temporaryKeys, wall: time })
  }
  const codeOf = (name: string, query: Query = {}): string => codeThrownBy(() => call(name, query))
  return { cloud, now, pass, call, codeOf }
}

/** `OK`, or the code of the refusal; everything else is thrown on. */
export function codeThrownBy(call: () => unknown): string {
  try {
    call()
    return 'OK'
  } catch (error) {
    if (error instanceof ApiError) return error.code
    throw error
  }
}
