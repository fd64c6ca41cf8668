/** What puts back the networks of the node, its ENIs and its pods, and who is told what it finds. */
import type { EniId } from '../../cloud/ids.ts'
import { PlanError } from '../../netlink/plan-error.ts'
import { Drift, type DriftOptions } from '../drift/drift.ts'
import type { RepairReport } from '../drift/report.ts'
import type { Endpoints } from '../pod/endpoints.ts'

export interface NodeDriftOptions extends DriftOptions {
  /** See EniDirectory. Of an owner that is no ENI: nothing. */
  readonly missed: (eni: EniId) => void
}

/** @throws NetnsError, SystemCallError */
export function openDrift({ missed, onRepair, ...options }: NodeDriftOptions): Drift {
  return new Drift({
    ...options,
    onRepair: (report) => {
      onRepair(report)
      // Nothing on the node brings its link back: the pool looks for it, and gives nothing from it until then.
      if (isEniGone(report)) missed(report.owner as EniId)
    },
  })
}

/** @param endpoints whose plans hold as far as the start could bring that about: nobody has watched since */
export function watchPods(endpoints: Endpoints, drift: Drift): void {
  endpoints.keptBy(drift)
  drift.compareAll()
}

function isEniGone({ error }: RepairReport): boolean {
  return error instanceof PlanError && error.code === 'eni-gone'
}
