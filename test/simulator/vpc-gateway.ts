/** A gateway to a VPC that has a bit of everything, on a clock that stands still until it is told to pass. */
import { Audit } from '../../simulator/api/audit.ts'
import { Gateway } from '../../simulator/api/gateway.ts'
import type { ApiResponse } from '../../simulator/api/response.ts'
import { Cloud } from '../../simulator/cloud/cloud.ts'
import { NO_LATENCY, testRegion } from './region.ts'
import { signedRequest } from './sign-request.ts'

/** From Creating to Available, ms. */
export const ROUTE_LATENCY = 100

const REGION = {
  vpc: {
    id: 'vpc-sim',
    cidr: '10.0.0.0/16',
    ipv6Cidr: 'fd00:0:0:100::/56',
    routeTables: [{ id: 'vtb-i', vSwitches: ['vsw-sim-i'] }],
  },
  vSwitches: [
    { id: 'vsw-sim-h', zone: 'cn-sim-h', cidr: '10.0.1.0/24', ipv6Cidr: 'fd00:0:0:101::/64' },
    { id: 'vsw-sim-i', zone: 'cn-sim-i', cidr: '10.0.2.0/24' },
  ],
  securityGroups: [
    {
      id: 'sg-sim',
      rules: [
        { direction: 'ingress', protocol: 'tcp', ports: '80-89', cidr: '10.0.0.0/16', priority: 5 },
        { direction: 'ingress', policy: 'drop', group: 'sg-sim' },
        { direction: 'egress', protocol: 'udp', cidr: 'fd00::/8' },
      ],
    },
    { id: 'sg-other', type: 'enterprise' },
  ],
  quotas: { routeEntries: 4 },
  latencies: { ...NO_LATENCY, route: ROUTE_LATENCY },
}

/** Undefined takes away what every call has. */
export type Query = Readonly<Record<string, string | undefined>>

/** `changes` replace keys at the top of the region file. */
export function vpcGateway(changes: Readonly<Record<string, unknown>> = {}) {
  let time = Date.parse('2026-01-01T00:00:00Z')
  const now = () => time
  const cloud = new Cloud({ region: testRegion({ ...REGION, ...changes }), now })
  const defects: unknown[] = []
  const onInternalError = (error: unknown) => defects.push(error)
  const gateway = new Gateway({ cloud, audit: new Audit(), now, changed: async () => undefined, onInternalError })
  const call = async (version: string, action: string, query: Query = {}): Promise<ApiResponse> => {
    const given = Object.entries({ RegionId: 'cn-sim', ...query }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    )
    const response = await gateway.answer(
      signedRequest({ action, version, query: Object.fromEntries(given), now: time }),
    )
    if (defects.length > 0) throw defects[0]
    return response
  }
  const pass = (milliseconds: number) => {
    time += milliseconds
    cloud.advance()
  }
  return { cloud, call, pass }
}
