/** The versions of the CNI specification that Terway speaks, and which verb came with which. */
import { CniError, CniErrorCode } from './cni-error.ts'

/** Oldest first. */
export const CNI_VERSIONS = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const
export type CniVersion = (typeof CNI_VERSIONS)[number]
export const NEWEST_CNI_VERSION: CniVersion = '1.1.0'

/** The verbs that are passed to the daemon; VERSION is answered by the plugin alone. */
export const CNI_VERBS = ['ADD', 'DEL', 'CHECK', 'STATUS', 'GC'] as const
export type CniVerb = (typeof CNI_VERBS)[number]

/** CNI specification: CHECK came with 0.4.0, GC and STATUS with 1.1.0. */
const FIRST_VERSION: Readonly<Record<CniVerb, CniVersion>> = {
  ADD: '0.3.0',
  DEL: '0.3.0',
  CHECK: '0.4.0',
  STATUS: '1.1.0',
  GC: '1.1.0',
}

/** What a configuration without `cniVersion` means; it predates the key. */
const UNSTATED_VERSION = '0.1.0'

/** Order of two supported versions by age. */
export function atLeast(version: CniVersion, other: CniVersion): boolean {
  return CNI_VERSIONS.indexOf(version) >= CNI_VERSIONS.indexOf(other)
}

/**
 * The version in which the answer must be given.
 * @throws CniError 1 when Terway does not speak the version, or the version does not know the verb.
 */
export function parseCniVersion(text: string, verb: CniVerb): CniVersion {
  const stated = text === '' ? UNSTATED_VERSION : text
  const version = CNI_VERSIONS.find((known) => known === stated)
  if (version === undefined) {
    const origin = text === '' ? ' (the configuration states none)' : ''
    throw new CniError({
      code: CniErrorCode.incompatibleVersion,
      reason: 'version-unsupported',
      text: `cniVersion ${JSON.stringify(stated.slice(0, 32))} is not supported${origin}`,
      details: `supported versions: ${CNI_VERSIONS.join(', ')}`,
    })
  }
  if (!atLeast(version, FIRST_VERSION[verb])) {
    throw new CniError({
      code: CniErrorCode.incompatibleVersion,
      reason: 'version-unsupported',
      text: `${verb} needs cniVersion ${FIRST_VERSION[verb]} or newer, the configuration states ${version}`,
      details: `supported versions: ${CNI_VERSIONS.join(', ')}`,
    })
  }
  return version
}
