/** The environment of the process: what the CNI specification demands and what Terway adds. */
import { statSync } from 'node:fs'
import { type CniEnvironment, parseAttachment, parseDetachment } from '../proto/cni-environment.ts'
import { CniError, CniErrorCode } from '../proto/cni-error.ts'
import type { CniVerb } from '../proto/cni-version.ts'
import { parseTimeout } from './timeout.ts'

export interface Environment extends CniEnvironment {
  /** CNI_ARGS, undecoded */
  readonly args: string
  /** CNI_NETNS_OVERRIDE: the namespace may be the one of the plugin. */
  readonly netnsOverride: boolean
  /** How long the daemon may take, in ms. */
  readonly timeoutMs: number
}

/** The namespace of the calling process, as proc(5) shows it. */
const OWN_NAMESPACE = '/proc/self/ns/net'

/**
 * CNI_PATH is not asked for: it tells where to find other plugins, and none is started.
 * @throws CniError 4 that names every missing or invalid variable.
 */
export function readEnvironment(verb: CniVerb, env: NodeJS.ProcessEnv): Environment {
  const raw = {
    containerId: env.CNI_CONTAINERID ?? '',
    netns: env.CNI_NETNS ?? '',
    ifname: env.CNI_IFNAME ?? '',
  }
  if (verb === 'ADD' || verb === 'CHECK') parseAttachment(raw)
  if (verb === 'DEL') parseDetachment(raw)
  return {
    ...raw,
    args: env.CNI_ARGS ?? '',
    netnsOverride: ['1', 'TRUE'].includes((env.CNI_NETNS_OVERRIDE ?? '').toUpperCase()),
    timeoutMs: parseTimeout(env.TERWAY_CNI_TIMEOUT ?? ''),
  }
}

/**
 * A runtime that names the plugin's own namespace, the node's as a rule, would have it torn apart. A path that does
 * not exist passes: the daemon knows what that means for the verb.
 * @throws CniError 8
 */
export function checkNamespace({ netns, netnsOverride }: Environment): void {
  if (netns === '' || netnsOverride) return
  const given = statSync(netns, { bigint: true, throwIfNoEntry: false })
  const own = statSync(OWN_NAMESPACE, { bigint: true })
  if (given === undefined || given.dev !== own.dev || given.ino !== own.ino) return
  throw new CniError({
    code: CniErrorCode.invalidNetns,
    reason: 'netns-own',
    text: `CNI_NETNS ${netns} is the network namespace of the plugin itself, not that of a sandbox`,
    details: 'if this is intended, set CNI_NETNS_OVERRIDE=1',
  })
}
