/** What a repair takes away before it adds: the kernel would keep it beside, or in place of, what the plan says. */
import type { Family } from '../inet/address.ts'
import { deleteAddress } from './address.ts'
import type { Difference, NetworkPlan } from './plan.ts'
import type { Side } from './plan-removal.ts'
import { execute, isAbsent, type Step } from './plan-requests.ts'
import { describeAddress, describePlannedRule } from './plan-text.ts'
import { deleteRule, listRules } from './rule.ts'
import { isDeletable, rulesBefore } from './rule-precedence.ts'

/** `found` is what the plan was found to differ in. @throws PlanError, NetlinkError */
export function clearForRepair(plan: NetworkPlan, side: Side, found: readonly Difference[]): void {
  const subjects = (object: Difference['object']) =>
    new Set(
      found
        .filter((one) => one.object === object && one.netns === side.netns && one.problem === 'different')
        .map(({ subject }) => subject),
    )
  const steps = [...addressSteps(plan, side, subjects('address')), ...ruleSteps(plan, side, subjects('rule'))]
  if (steps.length > 0) execute(side.socket, side.where, steps)
}

/** An address keeps its scope for as long as it is there (inet_rtm_newaddr of net/ipv4/devinet.c). */
function addressSteps(plan: NetworkPlan, { netns }: Side, different: ReadonlySet<string>): Step[] {
  return plan.addresses
    .filter((spec) => spec.device.netns === netns && different.has(describeAddress(spec)))
    .map((spec) => ({ request: deleteAddress({ ...spec, ifindex: spec.device.ifindex }), accept: isAbsent }))
}

function ruleSteps(plan: NetworkPlan, { netns, socket }: Side, different: ReadonlySet<string>): Step[] {
  const specs = plan.rules.filter((spec) => spec.netns === netns && different.has(describePlannedRule(spec)))
  return (['ipv4', 'ipv6'] as const).flatMap((family: Family) => {
    const wanted = specs.filter((spec) => spec.family === family)
    if (wanted.length === 0) return []
    const rules = listRules(socket, { family })
    return wanted
      .flatMap((spec) => rulesBefore(spec, rules))
      .filter((rule) => isDeletable(rule, rules))
      .map((rule) => ({ request: deleteRule(rule), accept: isAbsent }))
  })
}
