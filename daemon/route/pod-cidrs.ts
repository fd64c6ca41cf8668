/** The node's own prefixes, of which its pods have their addresses. */
import { type Cidr, type Family, familyOf } from '../../inet/address.ts'
import { podsIn } from './allocation.ts'

export class PodCidrError extends Error {
  override readonly name = 'PodCidrError'
}

const ADVICE = 'set pod_cidr in eni_conf, or the pod CIDR of the node in Kubernetes'

/**
 * One prefix of each family, in the order of the families.
 * @throws PodCidrError that says what is wrong with them and what to set
 */
export function podCidrs(cidrs: readonly Cidr[], families: readonly Family[]): readonly Cidr[] {
  const odd = cidrs.find((cidr) => !families.includes(familyOf(cidr)))
  if (odd !== undefined) {
    throw new PodCidrError(
      `pods have no ${familyOf(odd)} addresses, but the node has ${odd}: change ip_stack or take it out`,
    )
  }
  return families.map((family) => {
    const [cidr, ...others] = cidrs.filter((one) => familyOf(one) === family)
    if (cidr === undefined) throw new PodCidrError(`the node has no ${family} prefix for its pods: ${ADVICE}`)
    if (others.length > 0) {
      throw new PodCidrError(
        `the node has more than one ${family} prefix for its pods, ${[cidr, ...others].join(', ')}`,
      )
    }
    if (podsIn(cidr) === 0n) throw new PodCidrError(`${cidr} has no address for a pod: ${ADVICE}, a /24 for example`)
    return cidr
  })
}
