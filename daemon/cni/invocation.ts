/** One CNI call, decoded: everything that came from outside is checked here and nowhere after. */
import { type Attachment, type Detachment, parseAttachment, parseDetachment } from '../../proto/cni-environment.ts'
import { CniError, CniErrorCode } from '../../proto/cni-error.ts'
import type { Invocation__Output as RawInvocation } from '../../proto/generated/terway/cni/v1/Invocation.ts'
import { type PodArgs, parseCniArgs } from './args.ts'
import { type AttachmentKey, type NetConf, type NetConfHeader, parseNetConf, parseNetConfHeader } from './netconf.ts'

export interface AddInvocation {
  readonly attachment: Attachment
  readonly pod: PodArgs
  readonly conf: NetConf
}

export interface CheckInvocation {
  readonly attachment: Attachment
  readonly conf: NetConf
}

export interface DelInvocation {
  readonly detachment: Detachment
  readonly conf: NetConfHeader
}

export interface GcInvocation {
  /** What must be kept; everything else of this network may go. */
  readonly validAttachments: readonly AttachmentKey[]
  readonly conf: NetConf
}

export interface StatusInvocation {
  readonly conf: NetConf
}

/** @throws CniError 1, 4, 6 or 7. */
export function parseAdd(raw: RawInvocation): AddInvocation {
  const attachment = parseAttachment(raw)
  return { attachment, pod: parseCniArgs(raw.args), conf: parseNetConf(raw.config, 'ADD') }
}

/** The pod is known by its container id and interface name. @throws CniError 1, 4, 6 or 7. */
export function parseCheck(raw: RawInvocation): CheckInvocation {
  return { attachment: parseAttachment(raw), conf: parseNetConf(raw.config, 'CHECK') }
}

/** CNI_ARGS are not read: removal needs no pod name, so a wrong one cannot prevent it. @throws CniError 1, 4, 6 or 7. */
export function parseDel(raw: RawInvocation): DelInvocation {
  return { detachment: parseDetachment(raw), conf: parseNetConfHeader(raw.config, 'DEL') }
}

/** @throws CniError 1, 6 or 7; 7 also when the list of valid attachments is missing, which is not an empty list. */
export function parseGc(raw: RawInvocation): GcInvocation {
  const conf = parseNetConf(raw.config, 'GC')
  if (conf.validAttachments === undefined) {
    throw new CniError({
      code: CniErrorCode.invalidConfig,
      reason: 'config-invalid',
      text: 'GC without cni.dev/valid-attachments: nothing is removed, since every attachment would be taken for stale',
      details: 'the container runtime must list the attachments to keep, if need be as an empty list',
    })
  }
  return { validAttachments: conf.validAttachments, conf }
}

/** @throws CniError 1, 6 or 7. */
export function parseStatus(raw: RawInvocation): StatusInvocation {
  return { conf: parseNetConf(raw.config, 'STATUS') }
}
