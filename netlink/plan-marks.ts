/** The source marks of plans, with errors that say what a plan could not get. */
import { NetlinkError, SystemCallError } from './error.ts'
import { lacksNftables, type SourceMarks } from './nftables/source-marks.ts'
import type { NetworkPlan, SourceMarkSpec } from './plan.ts'
import { PlanError } from './plan-error.ts'
import { describeMark } from './plan-text.ts'

/** In one transaction. @throws PlanError */
export function addMarks(marks: SourceMarks, specs: readonly SourceMarkSpec[], where: string): void {
  if (specs.length > 0) explained(specs, where, () => marks.add(specs))
}

/** Those that are gone are fine. @throws PlanError */
export function removeMarks(marks: SourceMarks, specs: readonly SourceMarkSpec[], where: string): void {
  if (specs.length > 0) explained(specs, where, () => marks.remove(specs))
}

/** Puts the table in order, with the marks that it has and those of the plans. @throws PlanError */
export function repairMarks(marks: SourceMarks, plans: readonly NetworkPlan[], where: string): void {
  const specs = plans.flatMap((plan) => plan.marks)
  explained(specs, where, () => {
    const found = [...marks.read().marks].map(([source, mark]) => ({ source, mark }))
    marks.repair([...found, ...specs])
  })
}

function explained(specs: readonly SourceMarkSpec[], where: string, run: () => void): void {
  try {
    run()
  } catch (cause) {
    if (!(cause instanceof NetlinkError || cause instanceof SystemCallError)) throw cause
    const [first] = specs
    const request = `set marks ${first === undefined ? '' : describeMark(first)}, ${specs.length} in all`
    const options = { where, request, cause }
    if (!lacksNftables(cause)) throw new PlanError({ code: 'refused', ...options, reason: cause.message })
    const reason = `this kernel lacks a module (nf_tables): ${cause.message}`
    throw new PlanError({ code: 'unsupported', ...options, reason })
  }
}
