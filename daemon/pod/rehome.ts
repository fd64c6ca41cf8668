/** The plan of a pod whose address is on another ENI, or whose ENI has another link, than when it was added. Pure. */
import type { NetworkPlan } from '../../netlink/plan.ts'
import { FROM_POD_PRIORITY, tableOf } from '../datapath/policy-route.ts'

/** Undefined when the plan leads to the link with this index already. */
export function rehomed(plan: NetworkPlan, eniIfindex: number): NetworkPlan | undefined {
  const table = tableOf(eniIfindex)
  const isWayOut = ({ netns, priority }: NetworkPlan['rules'][number]) =>
    netns === 'host' && priority === FROM_POD_PRIORITY
  if (plan.rules.every((rule) => !isWayOut(rule) || rule.table === table)) return undefined
  return { ...plan, rules: plan.rules.map((rule) => (isWayOut(rule) ? { ...rule, table } : rule)) }
}
