/** grpc-js wraps the error of connect(2), which says it all, into two sentences of its own. */
const WRAPPED = /^No connection established\. Last error: (?:Error: )?(.*?)\. Resolution note: .*$/s

/** Details of a gRPC error for an operator's eye: `connect ENOENT /var/run/eni/eni.socket`. */
export function connectError(details: string): string {
  return details.replace(WRAPPED, '$1')
}
