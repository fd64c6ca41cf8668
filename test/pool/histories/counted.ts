/** How much of each kind so many histories must contain at least, or they would prove little. */
import type { Tally } from './tally.ts'

/** In a thousand histories; about half of what there is. */
const LEAST: Readonly<Record<string, number>> = {
  ...{ 'pods: asked': 10_000, 'pods: served': 6_000, 'pods: deleted': 5_000, looks: 30_000, starts: 800 },
  ...{ 'crashes: now': 150, 'crashes: before write': 100, 'crashes: after write': 100, 'crashes: forgetting': 50 },
  ...{ 'crashes: call arrived': 100, 'crashes: call answered': 100 },
  ...{ 'events: reboot': 150, 'events: jump': 150, 'events: limits': 300, 'events: deaf kernel': 150 },
  ...{ 'others: detach': 100, 'others: delete': 100, 'others: unassign': 100, 'others: neighbour': 100 },
  ...{ 'faults: refused': 300, 'faults: answerLost': 300, 'faults: silence': 200, 'faults: arrivesLate': 200 },
  ...{ 'faults: answeredLate': 300, 'faults: throttled': 300, 'faults: throttle': 300, 'faults: outage': 1_000 },
  ...{ 'faults: emptyId': 100, 'faults: attachFails': 30, 'faults: attachHangs': 15, 'faults: dry': 50 },
  ...{ 'faults: detachHangs': 8, 'faults: deleteHangs': 5, 'faults: staleList': 200, 'faults: incompleteList': 200 },
  ...{ 'mode: shared': 200, 'mode: dual': 30, 'mode: ipv6': 15, 'mode: prefix': 30, 'mode: dual prefix': 15 },
  ...{ 'mode: exclusive': 30, 'mode: dual exclusive': 15, 'mode: member': 30 },
}

/** What there is too little of, with what there is. */
export function lacking(tally: Tally): readonly string[] {
  const histories = tally.get('histories') ?? 0
  return Object.entries(LEAST).flatMap(([name, perThousand]) => {
    const [has, least] = [tally.get(name) ?? 0, (perThousand * histories) / 1_000]
    return has < least ? [`${name}: ${has} of at least ${least}`] : []
  })
}
