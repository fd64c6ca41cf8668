/** Assigning and unassigning addresses and prefixes of an ENI, which both families do in one way. */
import type { Cloud } from '../cloud/cloud.ts'
import type { EniId } from '../region/ids.ts'
import { type Action, type Answer, ECS } from './action.ts'
import type { Parameters } from './parameters.ts'

export interface AddressFamily {
  /** What a call can ask for, as the API reference writes it. */
  readonly wanted: readonly string[]
  /** What a call can give back: names of the addresses, and of the prefixes. */
  readonly named: readonly [string, string]
  readonly assign: (cloud: Cloud, eni: EniId, parameters: Parameters) => Answer
  readonly unassign: (cloud: Cloud, eni: EniId, parameters: Parameters) => void
}

/** Single addresses and prefixes cannot be had, or given back, in one call. */
export function addressActions({ wanted, named, assign, unassign }: AddressFamily): {
  readonly assign: Action
  readonly unassign: Action
} {
  const kinds = wanted.map((name) => name.replace('.N', ''))
  const common = { version: ECS, regionId: 'required', alone: true } as const
  return {
    assign: {
      ...common,
      parameters: ['NetworkInterfaceId', 'ClientToken', ...wanted],
      latency: 'assign',
      handle: (cloud, parameters) => {
        const id = parameters.eniId()
        parameters.exactlyOne(kinds)
        return assign(cloud, id, parameters)
      },
    },
    unassign: {
      ...common,
      parameters: ['NetworkInterfaceId', ...named.map((name) => `${name}.N`)],
      latency: 'unassign',
      handle: (cloud, parameters) => {
        const id = parameters.eniId()
        parameters.exactlyOne(named)
        unassign(cloud, id, parameters)
        return {}
      },
    },
  }
}
