/** Decoding of CNI_ARGS, by which a Kubernetes runtime says whose sandbox it is. */
import { CniError, CniErrorCode } from '../../proto/cni-error.ts'

/** The pod of a sandbox. */
export interface PodArgs {
  readonly namespace: string
  readonly name: string
  /** Undefined with runtimes older than the key (containerd before 1.6). */
  readonly uid: string | undefined
}

/** Longest name of an object of Kubernetes (RFC 1123 subdomain) and of a namespace (RFC 1123 label). */
const SUBDOMAIN_MAX = 253
const LABEL_MAX = 63
const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/
/** Kubernetes makes UUIDs and, for static pods, MD5 sums; tools that drive a runtime by hand make up their own. */
const UID = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/

const isLabel = (text: string): boolean => text.length <= LABEL_MAX && LABEL.test(text)
const isSubdomain = (text: string): boolean =>
  text.length <= SUBDOMAIN_MAX && text.split('.').every((label) => LABEL.test(label))

function invalid(text: string): CniError {
  return new CniError({
    code: CniErrorCode.invalidEnvironment,
    reason: 'args-invalid',
    text: `CNI_ARGS: ${text}`,
    details: 'the container runtime sets K8S_POD_NAMESPACE and K8S_POD_NAME from the metadata of the sandbox',
  })
}

/**
 * `K=V;K=V` in any order. A key that comes twice with different values is refused: runtimes write the pairs in random
 * order, so neither the first nor the last is the right one.
 */
function parsePairs(text: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>()
  for (const pair of text.split(';').filter((part) => part !== '')) {
    const equals = pair.indexOf('=')
    if (equals <= 0) {
      throw new CniError({
        code: CniErrorCode.decodeFailure,
        reason: 'args-malformed',
        text: `CNI_ARGS: ${JSON.stringify(pair.slice(0, 64))} is not KEY=VALUE`,
        details: 'the container runtime must write CNI_ARGS as KEY=VALUE;KEY=VALUE',
      })
    }
    const [key, value] = [pair.slice(0, equals), pair.slice(equals + 1)]
    const before = pairs.get(key)
    if (before !== undefined && before !== value) throw invalid(`${key.slice(0, 64)} is given twice and differs`)
    pairs.set(key, value)
  }
  return pairs
}

/**
 * The pod that CNI_ARGS names. Keys other than K8S_POD_NAMESPACE, K8S_POD_NAME and K8S_POD_UID are ignored, with and
 * without `IgnoreUnknown`: runtimes add keys as they please.
 * @throws CniError 6 when the text is not made of pairs; 4 when namespace or name is missing or is not a name of
 * Kubernetes, for they become the name of a link, fields of the log and keys.
 */
export function parseCniArgs(text: string): PodArgs {
  const pairs = parsePairs(text)
  const missing = ['K8S_POD_NAMESPACE', 'K8S_POD_NAME'].filter((key) => (pairs.get(key) ?? '') === '')
  if (missing.length > 0) throw invalid(`missing ${missing.join(', ')}`)
  const namespace = pairs.get('K8S_POD_NAMESPACE') ?? ''
  const name = pairs.get('K8S_POD_NAME') ?? ''
  const uid = pairs.get('K8S_POD_UID') ?? ''
  if (!isLabel(namespace)) throw invalid(`K8S_POD_NAMESPACE ${JSON.stringify(namespace.slice(0, 64))} is not a name`)
  if (!isSubdomain(name)) throw invalid(`K8S_POD_NAME ${JSON.stringify(name.slice(0, 64))} is not a name`)
  if (uid !== '' && !UID.test(uid)) throw invalid(`K8S_POD_UID ${JSON.stringify(uid.slice(0, 64))} is not an id`)
  return { namespace, name, uid: uid === '' ? undefined : uid }
}
