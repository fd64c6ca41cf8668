/** The answer to `terway-cli inspect host`: what the node's pods rest on. */
import type { HostInspection__Output as HostInspection } from '../proto/generated/terway/inspect/v1/HostInspection.ts'
import type { PlanInspection__Output as PlanInspection } from '../proto/generated/terway/inspect/v1/PlanInspection.ts'
import type { PlannedObject__Output as PlannedObject } from '../proto/generated/terway/inspect/v1/PlannedObject.ts'
import { columns } from './columns.ts'
import { isProblem, type ObjectOptions, objectLines, objectSummary } from './objects.ts'
import type { Paint } from './paint.ts'

export function hostObjects({ plans }: HostInspection): PlannedObject[] {
  return plans.flatMap(({ objects }) => objects)
}

function factLines(host: HostInspection): string[] {
  const { mode, families, policyRoute, primaryLink, addresses, serviceCidrs, podCidrs } = host
  const policy = mode === 'route' ? '' : `, policy routes by ${policyRoute}`
  return [
    `Mode: ${mode}, ${families.join(' and ')}${policy}`,
    `Primary link: ${primaryLink} (${addresses.join(', ')})`,
    `Services: ${serviceCidrs.length === 0 ? 'not known' : serviceCidrs.join(', ')}`,
    ...(podCidrs.length === 0 ? [] : [`Prefixes of its pods: ${podCidrs.join(', ')}`]),
    `Pods: ${host.pods}; marked sources: ${host.marks}; rules: ${host.rules}`,
  ]
}

function featureLine({ features }: HostInspection, paint: Paint): string {
  const names = (present: boolean) => features.filter((one) => one.present === present).map(({ name }) => name)
  const [present, lacking] = [names(true), names(false)]
  const lacks = lacking.length === 0 ? '' : `; ${paint('waiting', `lacks ${lacking.join(', ')}`)}`
  return `Kernel: has ${present.join(', ') || 'nothing of what pods may need'}${lacks}`
}

function tableLines({ tables }: HostInspection, paint: Paint): string[] {
  if (tables.length === 0) return []
  const rows = columns(tables.map(({ name, used, limit }) => [`  ${name}`, `${used} of ${limit}`]))
  const lines = tables.map(({ note }, at) => {
    const line = rows[at]?.join('') ?? ''
    return note === '' ? line : paint('waiting', `${line}: ${note}`)
  })
  return ['Tables:', ...lines]
}

/** No plan has them, so none is wrong. */
function settingLines({ settings }: HostInspection): string[] {
  if (settings.length === 0) return []
  const rows = columns(settings.map(({ key, value }) => [`  ${key}`, value === '' ? 'none here' : value]))
  return ['Other settings:', ...rows.map((cells) => cells.join(''))]
}

function planLines({ owner, link, objects }: PlanInspection, options: ObjectOptions): string[] {
  if (options.onlyProblems && !objects.some(isProblem)) return []
  const title = link === '' ? owner : `${owner} (${link})`
  return [`Plan: ${options.paint('strong', title)}`, ...objectLines(objects, options)]
}

export function renderHost(host: HostInspection, options: ObjectOptions): string {
  const { paint } = options
  const lines = [
    `Node: ${paint('strong', host.name)} (terwayd ${host.version}, Linux ${host.kernel})`,
    ...factLines(host),
    featureLine(host, paint),
    ...tableLines(host, paint),
    ...(options.onlyProblems ? [] : settingLines(host)),
    ...host.plans.flatMap((plan) => planLines(plan, options)),
    objectSummary(hostObjects(host), paint),
  ]
  return `${lines.join('\n')}\n`
}
