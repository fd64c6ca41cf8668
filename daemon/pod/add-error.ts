/** How a failed step of ADD becomes the answer to the runtime. */
import { PlanError, type PlanErrorCode } from '../../netlink/plan-error.ts'
import { CniError, CniErrorCode } from '../cni/error.ts'
import { PoolError } from '../pool/error.ts'

/** @param who the pod, for the text. What is no error of ours stays as it is: a fault of the program. */
export function toCniError(error: unknown, who: string): unknown {
  if (error instanceof PoolError) {
    const { reason, message, advice: details } = error
    return new CniError({ code: CniErrorCode.tryAgainLater, reason, text: `${who}: ${message}`, details, cause: error })
  }
  if (!(error instanceof PlanError)) return error
  return new CniError({ ...kernelAnswer(error.code), text: `${who}: ${error.message}`, cause: error })
}

type Answer = Pick<CniError, 'code' | 'reason' | 'details'>

const REFUSED: Answer = {
  ...{ code: CniErrorCode.kernelFailure, reason: 'kernel-refused' },
  details: 'the log of terwayd holds the request; "terway-cli verify" compares the node with its plans',
}

const BY_CODE: Partial<Readonly<Record<PlanErrorCode, Answer>>> = {
  'name-taken': {
    ...{ code: CniErrorCode.endpointExists, reason: 'interface-exists' },
    details: 'the sandbox has an interface of this name that Terway did not make; another CNI plugin may have',
  },
  netns: {
    ...{ code: CniErrorCode.unknownContainer, reason: 'netns-vanished' },
    details: 'the sandbox ended while its network was set up; the runtime makes a new one',
  },
  'qdisc-taken': {
    ...{ code: CniErrorCode.kernelFailure, reason: 'qdisc-taken' },
    details: 'a qdisc of another program is on the link that the text names: delete it, then the runtime tries again',
  },
  'eni-gone': {
    ...{ code: CniErrorCode.tryAgainLater, reason: 'eni-gone' },
    details: 'the runtime tries again; terwayd looks for the link of the ENI and puts pods on others meanwhile',
  },
  mtu: {
    ...{ code: CniErrorCode.invalidConfig, reason: 'network-invalid' },
    details:
      'lower mtu in the CNI configuration, or raise eni_mtu in eni_conf where the instance type has jumbo frames',
  },
  unsupported: {
    ...{ code: CniErrorCode.kernelFailure, reason: 'kernel-unsupported' },
    details: 'load the kernel module that the text names on this node, or configure a datapath that does without it',
  },
  'vlan-taken': {
    ...{ code: CniErrorCode.kernelFailure, reason: 'vlan-taken' },
    details: 'another link on the node has this VLAN id on the trunk ENI: remove it, then the runtime tries again',
  },
}

function kernelAnswer(code: PlanErrorCode): Answer {
  return BY_CODE[code] ?? REFUSED
}
