// Original file: proto/inspect.proto

import type { RateLimit as _terway_inspect_v1_RateLimit, RateLimit__Output as _terway_inspect_v1_RateLimit__Output } from '../../../terway/inspect/v1/RateLimit.ts';

export interface Endpoint {
  'containerId'?: (string);
  'ifname'?: (string);
  'netns'?: (string);
  'namespace'?: (string);
  'pod'?: (string);
  'ips'?: (string)[];
  'eniId'?: (string);
  'hostLink'?: (string);
  /**
   * adding, ready, deleting
   */
  'phase'?: (string);
  /**
   * ms since the epoch
   */
  'since'?: (number | string);
  /**
   * policy-route, ipvlan, exclusive, vlan, vlan-tag, route; empty while it is not known, and of earlier versions' pods
   */
  'datapath'?: (string);
  /**
   * to the pod; absent without a limit
   */
  'ingress'?: (_terway_inspect_v1_RateLimit | null);
  /**
   * from the pod
   */
  'egress'?: (_terway_inspect_v1_RateLimit | null);
}

export interface Endpoint__Output {
  'containerId': (string);
  'ifname': (string);
  'netns': (string);
  'namespace': (string);
  'pod': (string);
  'ips': (string)[];
  'eniId': (string);
  'hostLink': (string);
  /**
   * adding, ready, deleting
   */
  'phase': (string);
  /**
   * ms since the epoch
   */
  'since': (number);
  /**
   * policy-route, ipvlan, exclusive, vlan, vlan-tag, route; empty while it is not known, and of earlier versions' pods
   */
  'datapath': (string);
  /**
   * to the pod; absent without a limit
   */
  'ingress': (_terway_inspect_v1_RateLimit__Output | null);
  /**
   * from the pod
   */
  'egress': (_terway_inspect_v1_RateLimit__Output | null);
}
