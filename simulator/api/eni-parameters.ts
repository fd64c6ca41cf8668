/** Properties of an ENI that CreateNetworkInterface and ModifyNetworkInterfaceAttribute both set. */
import type { Eni } from '../cloud/eni.ts'
import { ApiError } from '../cloud/error.ts'
import { choice } from './filters.ts'
import { invalid, type Parameters } from './parameters.ts'

export const TRAFFIC_PARAMETERS = [
  'QueueNumber',
  'NetworkInterfaceTrafficConfig.NetworkInterfaceTrafficMode',
  'NetworkInterfaceTrafficConfig.QueueNumber',
] as const

/** A letter, then letters, digits and four marks; 2 to 128 in all. Empty: none was given. */
export function nameOf(parameters: Parameters): string {
  const name = parameters.optional('NetworkInterfaceName') ?? ''
  if (name === '' || /^\p{L}[\p{L}\p{N}:_.-]{1,127}$/u.test(name)) return name
  throw new ApiError('InvalidParams.NetworkInterfaceName', `${JSON.stringify(name)} cannot be the name of an ENI.`)
}

/** 2 to `max` characters, not a link. Empty: none was given. */
export function descriptionOf(parameters: Parameters, max: number): string {
  const text = parameters.text('Description', { min: 2, max })
  if (/^https?:\/\//.test(text)) throw invalid('Description', 'must not begin with http:// or https://')
  return text
}

/** The mode can be given in two places, but in one of them only. */
export function trafficModeOf(parameters: Parameters): Eni['trafficMode'] | undefined {
  const name = parameters.atMostOne([
    'NetworkInterfaceTrafficMode',
    'NetworkInterfaceTrafficConfig.NetworkInterfaceTrafficMode',
  ])
  if (name === undefined) return undefined
  return choice(parameters, name, { values: ['Standard', 'HighPerformance'], code: 'InvalidParameter.EniTrafficMode' })
}

/** As the mode. */
export function queueNumberOf(parameters: Parameters): number | undefined {
  const name = parameters.atMostOne(['QueueNumber', 'NetworkInterfaceTrafficConfig.QueueNumber'])
  return name === undefined ? undefined : parameters.integer(name, { min: 1, max: 2048 })
}
