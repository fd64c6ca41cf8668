/** The answer to `terway-cli inspect pod`: what the pod has, and each object of it beside the kernel's. */
import type { Endpoint__Output as Endpoint } from '../proto/generated/terway/inspect/v1/Endpoint.ts'
import type { EndpointInspection__Output as EndpointInspection } from '../proto/generated/terway/inspect/v1/EndpointInspection.ts'
import type { PlannedObject__Output as PlannedObject } from '../proto/generated/terway/inspect/v1/PlannedObject.ts'
import type { PodInspection__Output as PodInspection } from '../proto/generated/terway/inspect/v1/PodInspection.ts'
import { type ObjectOptions, objectLines, objectSummary } from './objects.ts'
import { limitsText } from './rates.ts'
import { ageOf } from './tree.ts'

/** Why the kernel need not be as planned. */
const PASSING: Readonly<Record<string, string>> = {
  adding: 'it is being added: what is missing may be made yet',
  deleting: 'it is being removed: what is missing is gone for good',
}

/** Of interfaces that are to be as planned now. */
export function objectsToJudge({ endpoints }: PodInspection): PlannedObject[] {
  return endpoints.filter(({ endpoint }) => endpoint?.phase === 'ready').flatMap(({ objects }) => objects)
}

function eniText({ eniId }: Endpoint, { eniLink, vlanId }: EndpointInspection): string {
  const notes = [eniLink, vlanId === 0 ? '' : `VLAN ${vlanId}`].filter((note) => note !== '')
  return notes.length === 0 ? eniId : `${eniId} (${notes.join(', ')})`
}

/** Those that it has. */
function facts(endpoint: Endpoint, inspection: EndpointInspection): string[] {
  const all: [string, string][] = [
    ['Container', endpoint.containerId],
    ['Network namespace', endpoint.netns],
    ['Datapath', endpoint.datapath],
    ['Addresses', endpoint.ips.join(', ')],
    ['ENI', eniText(endpoint, inspection)],
    ['Link on the node', endpoint.hostLink],
    ['Bandwidth', limitsText(endpoint)],
    ['Note', PASSING[endpoint.phase] ?? ''],
    ['Note', inspection.replacing ? 'its plan is being changed: objects of the last one may be there besides' : ''],
    ['Note', inspection.objects.length === 0 ? 'nothing has been planned for it yet' : ''],
  ]
  return all.filter(([, value]) => value !== '').map(([name, value]) => `  ${name}: ${value}`)
}

function endpointLines(inspection: EndpointInspection, now: number, options: ObjectOptions): string[] {
  const { endpoint, objects } = inspection
  if (endpoint === null) return []
  const title = `${endpoint.namespace}/${endpoint.pod} ${endpoint.ifname}`
  return [
    `Interface: ${options.paint('strong', title)} (${endpoint.phase} since ${ageOf(endpoint.since, now)})`,
    ...facts(endpoint, inspection),
    ...objectLines(objects, options),
  ]
}

function summary(inspection: PodInspection, { paint }: ObjectOptions): string {
  const isReady = inspection.endpoints.some(({ endpoint }) => endpoint?.phase === 'ready')
  return isReady ? objectSummary(objectsToJudge(inspection), paint) : 'no interface is ready: nothing to judge'
}

export function renderPod(inspection: PodInspection, options: ObjectOptions): string {
  const lines = inspection.endpoints.flatMap((one) => endpointLines(one, inspection.now, options))
  return `${[...lines, summary(inspection, options)].join('\n')}\n`
}
