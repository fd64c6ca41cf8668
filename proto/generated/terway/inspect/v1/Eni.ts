// Original file: proto/inspect.proto

import type { Address as _terway_inspect_v1_Address, Address__Output as _terway_inspect_v1_Address__Output } from '../../../terway/inspect/v1/Address.ts';

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
   * creating, attaching, in-use, detaching, deleting, lost
   */
  'phase'?: (string);
  /**
   * addresses of one family it can hold, the primary included
   */
  'capacity'?: (number);
  'addresses'?: (_terway_inspect_v1_Address)[];
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
   * creating, attaching, in-use, detaching, deleting, lost
   */
  'phase': (string);
  /**
   * addresses of one family it can hold, the primary included
   */
  'capacity': (number);
  'addresses': (_terway_inspect_v1_Address__Output)[];
}
