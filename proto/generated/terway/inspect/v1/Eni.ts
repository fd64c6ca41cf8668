// Original file: proto/inspect.proto

import type { Address as _terway_inspect_v1_Address, Address__Output as _terway_inspect_v1_Address__Output } from '../../../terway/inspect/v1/Address.ts';
import type { Prefix as _terway_inspect_v1_Prefix, Prefix__Output as _terway_inspect_v1_Prefix__Output } from '../../../terway/inspect/v1/Prefix.ts';

export interface Eni {
  'id'?: (string);
  'mac'?: (string);
  /**
   * name in the node's namespace; empty until it appears
   */
  'link'?: (string);
  'ifindex'?: (number);
  'vswitchId'?: (string);
  'vswitchCidr'?: (string);
  'gateway'?: (string);
  'primaryIp'?: (string);
  /**
   * creating, attaching, in-use, draining, detaching, deleting, lost
   */
  'phase'?: (string);
  /**
   * places of each family, the primary address included; a prefix takes one
   */
  'capacity'?: (number);
  'addresses'?: (_terway_inspect_v1_Address)[];
  /**
   * shared, exclusive, member, trunk
   */
  'role'?: (string);
  /**
   * of an attached member: 802.1Q id on the trunk; otherwise 0
   */
  'vlanId'?: (number);
  /**
   * why it is given back although it would be of use; empty unless it is
   */
  'failure'?: (string);
  'prefixes'?: (_terway_inspect_v1_Prefix)[];
}

export interface Eni__Output {
  'id': (string);
  'mac': (string);
  /**
   * name in the node's namespace; empty until it appears
   */
  'link': (string);
  'ifindex': (number);
  'vswitchId': (string);
  'vswitchCidr': (string);
  'gateway': (string);
  'primaryIp': (string);
  /**
   * creating, attaching, in-use, draining, detaching, deleting, lost
   */
  'phase': (string);
  /**
   * places of each family, the primary address included; a prefix takes one
   */
  'capacity': (number);
  'addresses': (_terway_inspect_v1_Address__Output)[];
  /**
   * shared, exclusive, member, trunk
   */
  'role': (string);
  /**
   * of an attached member: 802.1Q id on the trunk; otherwise 0
   */
  'vlanId': (number);
  /**
   * why it is given back although it would be of use; empty unless it is
   */
  'failure': (string);
  'prefixes': (_terway_inspect_v1_Prefix__Output)[];
}
