/** Changes to the test region: IPv6 in one of its vSwitches, and nodes of every kind an ENI can be refused by. */
const NODE = { instanceType: 'ecs.g7.xlarge', vSwitch: 'vsw-sim-h' }

/**
 * node-a: 4 ENIs of 15 + 15 addresses and 16 members. node-small: 2 ENIs of 4 + 0 addresses, no members, stopped.
 * node-rdma: one eRDMA interface, 3 ENIs of 4 + 2 addresses, 3 members.
 */
export const DUAL_STACK = {
  vpc: { id: 'vpc-sim', cidr: '10.0.0.0/16', ipv6Cidr: '2001:db8:0:1a00::/56' },
  vSwitches: [
    { id: 'vsw-sim-h', zone: 'cn-sim-h', cidr: '10.0.1.0/24', ipv6Cidr: '2001:db8:0:1a01::/64' },
    { id: 'vsw-sim-i', zone: 'cn-sim-i', cidr: '10.0.2.0/24' },
  ],
  securityGroups: [{ id: 'sg-sim' }, { id: 'sg-b' }, { id: 'sg-c' }, { id: 'sg-apart', type: 'enterprise' }],
  quotas: { enis: 30, securityGroupsPerEni: 2, securityGroupIps: { normal: 120 } },
  nodes: [
    { ...NODE, name: 'node-a', instanceId: 'i-sim-a', primaryIp: '10.0.1.10' },
    { ...NODE, name: 'node-b', instanceId: 'i-sim-b', vSwitch: 'vsw-sim-i', primaryIp: '10.0.2.10' },
    {
      ...NODE,
      name: 'node-small',
      instanceId: 'i-sim-small',
      instanceType: 'ecs.small.large',
      primaryIp: '10.0.1.11',
      status: 'Stopped',
      tags: { pool: 'spot' },
    },
    { ...NODE, name: 'node-rdma', instanceId: 'i-sim-rdma', instanceType: 'ecs.rdma.large', primaryIp: '10.0.1.12' },
  ],
  instanceTypes: [
    { id: 'ecs.small.large', cpuCores: 2, memoryGiB: 4, eniQuantity: 2, ipv4PerEni: 4, queuesPerEni: 2 },
    {
      id: 'ecs.rdma.large',
      cpuCores: 2,
      memoryGiB: 8,
      eniQuantity: 3,
      eniTotalQuantity: 6,
      trunkSupported: true,
      ipv4PerEni: 4,
      ipv6PerEni: 2,
      eriQuantity: 1,
    },
  ],
}
