/** The actions of the API that the client calls, by their names there: what a budget can speak of. */
export const ACTIONS = [
  ...['CreateNetworkInterface', 'AttachNetworkInterface', 'DetachNetworkInterface', 'DeleteNetworkInterface'],
  ...['DescribeNetworkInterfaces', 'DescribeNetworkInterfaceAttribute', 'ModifyNetworkInterfaceAttribute'],
  ...['AssignPrivateIpAddresses', 'UnassignPrivateIpAddresses', 'AssignIpv6Addresses', 'UnassignIpv6Addresses'],
  ...['DescribeInstances', 'DescribeInstanceTypes', 'DescribeSecurityGroups'],
  ...['TagResources', 'UntagResources', 'ListTagResources'],
  ...['DescribeVSwitches', 'DescribeVpcs', 'DescribeRouteTableList', 'DescribeRouteEntryList'],
  ...['CreateRouteEntries', 'DeleteRouteEntries', 'CreateRouteEntry', 'DeleteRouteEntry'],
] as const
export type Action = (typeof ACTIONS)[number]
