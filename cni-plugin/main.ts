/**
 * The executable `terway`, which a container runtime starts once per CNI call: it checks what can be checked without
 * knowledge of networks, hands the call to the daemon of the node and prints the answer. Standard output carries the
 * protocol and nothing else. The process may be killed at any moment and therefore owns nothing that needs cleaning.
 */
import packageJson from '../package.json' with { type: 'json' }
import { CniError, CniErrorCode } from '../proto/cni-error.ts'
import { CNI_VERBS, CNI_VERSIONS, type CniVerb, NEWEST_CNI_VERSION } from '../proto/cni-version.ts'
import { parseConfig, statedVersion } from './config.ts'
import { checkNamespace, readEnvironment } from './environment.ts'
import { perform, type Reply } from './perform.ts'
import { note, readAll, STDERR, STDIN, STDOUT, writeAll } from './stdio.ts'
import { Trace } from './trace.ts'

function parseVerb(command: string): CniVerb {
  const verb = CNI_VERBS.find((known) => known === command)
  if (verb !== undefined) return verb
  throw new CniError({
    code: CniErrorCode.invalidEnvironment,
    reason: 'environment-invalid',
    text: `CNI_COMMAND: ${JSON.stringify(command.slice(0, 32))} is none of ${CNI_VERBS.join(', ')}, VERSION`,
    details: 'the container runtime must name a verb of the CNI specification',
  })
}

/** @throws CniError 5 */
function readConfig(): Uint8Array {
  try {
    return readAll(STDIN)
  } catch (cause) {
    throw new CniError({
      code: CniErrorCode.io,
      reason: 'stdin-unreadable',
      text: `the network configuration cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      details: 'the container runtime must pass the network configuration on standard input',
      cause,
    })
  }
}

/** @throws CniError */
async function answer(verb: CniVerb, bytes: Uint8Array, trace: Trace): Promise<Reply> {
  const environment = readEnvironment(verb, process.env)
  const config = parseConfig(bytes, verb)
  checkNamespace(environment)
  trace.end('read')
  return perform({ verb, environment, config, bytes, trace })
}

function errorReply(error: unknown): Extract<Reply, { kind: 'error' }> {
  if (error instanceof CniError) return { kind: 'error', code: error.code, msg: error.message, details: error.details }
  return {
    kind: 'error',
    code: CniErrorCode.internal,
    msg: `internal: ${error instanceof Error ? error.message : String(error)}`,
    details: `this is a fault of the terway plugin${error instanceof Error ? `: ${error.stack}` : ''}`,
  }
}

/** Prints the reply; an error has the same shape in all versions (specification, "Error"). Returns the exit status. */
function print(reply: Reply, config: Uint8Array): 0 | 1 {
  if (reply.kind === 'result') {
    writeAll(STDOUT, reply.result)
    return 0
  }
  const { code, msg, details } = reply
  const cniVersion = statedVersion(config)
  writeAll(STDOUT, JSON.stringify({ cniVersion, code, msg, ...(details === '' ? {} : { details }) }))
  return 1
}

/** Exit status: 0 when the call succeeded. */
async function main(trace: Trace): Promise<0 | 1> {
  const command = process.env.CNI_COMMAND ?? ''
  if (command === '') {
    // Somebody has started the plugin by hand to see what it is.
    const versions = CNI_VERSIONS.join(', ')
    writeAll(STDERR, `CNI plugin terway ${packageJson.version}: gives pods VPC addresses; CNI versions ${versions}\n`)
    return 0
  }
  if (command === 'VERSION') {
    // Standard input could only hold a version to repeat; not reading it keeps a probe from hanging on an open pipe.
    writeAll(STDOUT, JSON.stringify({ cniVersion: NEWEST_CNI_VERSION, supportedVersions: CNI_VERSIONS }))
    return 0
  }
  let config: Uint8Array = new Uint8Array()
  let reply: Reply
  try {
    const verb = parseVerb(command)
    config = readConfig()
    reply = await answer(verb, config, trace)
  } catch (error) {
    reply = errorReply(error)
  }
  return print(reply, config)
}

const trace = new Trace(process.env)
trace.end('start')
main(trace).then(
  (status) => {
    trace.end('print')
    note(trace.line())
    process.exit(status)
  },
  (error: unknown) => {
    // Standard output is gone (EPIPE): the runtime no longer listens, so its log is the only place left.
    note(`terway: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  },
)
