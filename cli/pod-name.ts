/** A pod as it is named on the command line. */
import { InvalidArgumentError } from 'commander'

export interface PodName {
  readonly namespace: string
  readonly pod: string
}

/** Where kubectl looks when no namespace is given. */
const DEFAULT_NAMESPACE = 'default'
/** What names of Kubernetes are made of (RFC 1123); the API server looks at the rest. */
const NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/

/** `NAMESPACE/NAME`, or `NAME`. @throws InvalidArgumentError */
export function parsePodName(text: string): PodName {
  const parts = text.split('/')
  const [pod = '', namespace = DEFAULT_NAMESPACE, ...others] = parts.toReversed()
  if (others.length === 0 && NAME.test(pod) && NAME.test(namespace)) return { namespace, pod }
  throw new InvalidArgumentError(
    `Write NAMESPACE/NAME, or NAME for a pod of the namespace ${DEFAULT_NAMESPACE}, as kubectl get pods shows them.`,
  )
}
