/** An interface of a pod in the words of the Inspect service. Pure. */
import type { Endpoint as EndpointMessage } from '../../proto/generated/terway/inspect/v1/Endpoint.ts'
import type { RateLimit as RateLimitMessage } from '../../proto/generated/terway/inspect/v1/RateLimit.ts'
import type { RateLimit } from '../datapath/attachment.ts'
import { addressesOf, type Endpoint } from '../store/endpoint.ts'

export function showEndpoint(endpoint: Endpoint): EndpointMessage {
  const { containerId, ifname, netns, namespace, pod, eniId = '', hostLink = '', phase, since, attachment } = endpoint
  const { ingress, egress } = attachment?.bandwidth ?? {}
  return {
    ...{ containerId, ifname, netns, namespace, pod, eniId, hostLink, phase, since },
    ips: [...addressesOf(endpoint)],
    datapath: attachment?.datapath ?? '',
    ...(ingress === undefined ? {} : { ingress: showLimit(ingress) }),
    ...(egress === undefined ? {} : { egress: showLimit(egress) }),
  }
}

function showLimit({ rate, burst = 0 }: RateLimit): RateLimitMessage {
  return { rate, burst }
}
