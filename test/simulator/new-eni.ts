/** A plain ENI in the test region, for tests that call the cloud without its API. */
import type { CreateEni } from '../../simulator/cloud/new-eni.ts'
import { NOTHING } from '../../simulator/cloud/subnet.ts'
import type { SecurityGroupId, VSwitchId } from '../../simulator/region/ids.ts'

export const NEW_ENI: CreateEni = {
  type: 'Secondary',
  vSwitchId: 'vsw-sim-h' as VSwitchId,
  securityGroupIds: ['sg-sim' as SecurityGroupId],
  primaryIp: undefined,
  ipv4: NOTHING,
  ipv6: NOTHING,
  name: '',
  description: '',
  resourceGroupId: '',
  tags: new Map(),
  deleteOnRelease: true,
  sourceDestCheck: false,
  trafficMode: 'Standard',
  queueNumber: undefined,
}
