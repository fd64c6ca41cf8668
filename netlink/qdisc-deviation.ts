/** Qdiscs of a plan beside those of the kernel. */
import type { QdiscSpec } from './plan.ts'
import { describeFoundQdisc, type Qdisc, rootOf } from './qdisc.ts'
import { prioDeviation } from './qdisc-prio.ts'
import { isSameTbf, type TbfParameters } from './tbf.ts'
import { TC_H_CLSACT } from './tc-message.ts'

/**
 * `found` are the qdiscs of the device. `undefined` when the one of the spec is among them; otherwise `missing`, also
 * where the kernel has its own, or what is there instead.
 */
export function qdiscDeviation(spec: QdiscSpec, found: readonly Qdisc[]): string | undefined {
  switch (spec.kind) {
    case 'prio':
      return prioDeviation(found)
    case 'tbf':
      return deviation(rootOf(found), (root) => isTbf(root, spec))
    case 'clsact':
      return deviation(
        found.find(({ parent }) => parent === TC_H_CLSACT),
        ({ kind }) => kind === 'clsact',
      )
  }
}

const isTbf = ({ tbf }: Qdisc, wanted: TbfParameters): boolean => tbf !== undefined && isSameTbf(wanted, tbf)

/** The kernel's own have the handle 0. */
function deviation(found: Qdisc | undefined, isWanted: (found: Qdisc) => boolean): string | undefined {
  if (found === undefined || found.handle === 0) return 'missing'
  return isWanted(found) ? undefined : describeFoundQdisc(found)
}
