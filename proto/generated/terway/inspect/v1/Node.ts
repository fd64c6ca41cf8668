// Original file: proto/inspect.proto

import type { Eni as _terway_inspect_v1_Eni, Eni__Output as _terway_inspect_v1_Eni__Output } from '../../../terway/inspect/v1/Eni.ts';
import type { Pool as _terway_inspect_v1_Pool, Pool__Output as _terway_inspect_v1_Pool__Output } from '../../../terway/inspect/v1/Pool.ts';
import type { Endpoint as _terway_inspect_v1_Endpoint, Endpoint__Output as _terway_inspect_v1_Endpoint__Output } from '../../../terway/inspect/v1/Endpoint.ts';
import type { ForeignEni as _terway_inspect_v1_ForeignEni, ForeignEni__Output as _terway_inspect_v1_ForeignEni__Output } from '../../../terway/inspect/v1/ForeignEni.ts';
import type { Event as _terway_inspect_v1_Event, Event__Output as _terway_inspect_v1_Event__Output } from '../../../terway/inspect/v1/Event.ts';
import type { Condition as _terway_inspect_v1_Condition, Condition__Output as _terway_inspect_v1_Condition__Output } from '../../../terway/inspect/v1/Condition.ts';

export interface Node {
  'name'?: (string);
  'instanceId'?: (string);
  'instanceType'?: (string);
  'regionId'?: (string);
  'zoneId'?: (string);
  'vpcId'?: (string);
  /**
   * of the daemon
   */
  'version'?: (string);
  /**
   * ms since the epoch
   */
  'startedAt'?: (number | string);
  'enis'?: (_terway_inspect_v1_Eni)[];
  'pool'?: (_terway_inspect_v1_Pool | null);
  'endpoints'?: (_terway_inspect_v1_Endpoint)[];
  /**
   * what keeps the pool from growing now, in the operator's words
   */
  'problems'?: (string)[];
  'foreignEnis'?: (_terway_inspect_v1_ForeignEni)[];
  /**
   * the last ones, oldest first
   */
  'events'?: (_terway_inspect_v1_Event)[];
  'conditions'?: (_terway_inspect_v1_Condition)[];
  /**
   * ms since the epoch, of the daemon's own clock, which nobody sets: what the times of addresses, events and conditions
   * are to be compared with.
   */
  'now'?: (number | string);
}

export interface Node__Output {
  'name': (string);
  'instanceId': (string);
  'instanceType': (string);
  'regionId': (string);
  'zoneId': (string);
  'vpcId': (string);
  /**
   * of the daemon
   */
  'version': (string);
  /**
   * ms since the epoch
   */
  'startedAt': (number);
  'enis': (_terway_inspect_v1_Eni__Output)[];
  'pool': (_terway_inspect_v1_Pool__Output | null);
  'endpoints': (_terway_inspect_v1_Endpoint__Output)[];
  /**
   * what keeps the pool from growing now, in the operator's words
   */
  'problems': (string)[];
  'foreignEnis': (_terway_inspect_v1_ForeignEni__Output)[];
  /**
   * the last ones, oldest first
   */
  'events': (_terway_inspect_v1_Event__Output)[];
  'conditions': (_terway_inspect_v1_Condition__Output)[];
  /**
   * ms since the epoch, of the daemon's own clock, which nobody sets: what the times of addresses, events and conditions
   * are to be compared with.
   */
  'now': (number);
}
