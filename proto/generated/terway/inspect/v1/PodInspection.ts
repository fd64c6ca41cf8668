// Original file: proto/inspect.proto

import type { EndpointInspection as _terway_inspect_v1_EndpointInspection, EndpointInspection__Output as _terway_inspect_v1_EndpointInspection__Output } from '../../../terway/inspect/v1/EndpointInspection.ts';

export interface PodInspection {
  /**
   * ms since the epoch: what Endpoint.since is to be compared with
   */
  'now'?: (number | string);
  /**
   * those of the newest sandbox first, those being removed last
   */
  'endpoints'?: (_terway_inspect_v1_EndpointInspection)[];
}

export interface PodInspection__Output {
  /**
   * ms since the epoch: what Endpoint.since is to be compared with
   */
  'now': (number);
  /**
   * those of the newest sandbox first, those being removed last
   */
  'endpoints': (_terway_inspect_v1_EndpointInspection__Output)[];
}
