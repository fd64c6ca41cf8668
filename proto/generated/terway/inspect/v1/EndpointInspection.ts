// Original file: proto/inspect.proto

import type { Endpoint as _terway_inspect_v1_Endpoint, Endpoint__Output as _terway_inspect_v1_Endpoint__Output } from '../../../terway/inspect/v1/Endpoint.ts';
import type { PlannedObject as _terway_inspect_v1_PlannedObject, PlannedObject__Output as _terway_inspect_v1_PlannedObject__Output } from '../../../terway/inspect/v1/PlannedObject.ts';

export interface EndpointInspection {
  'endpoint'?: (_terway_inspect_v1_Endpoint | null);
  /**
   * the ENI's, on the node; of a member its trunk's; empty without an ENI
   */
  'eniLink'?: (string);
  /**
   * of a member, otherwise 0
   */
  'vlanId'?: (number);
  /**
   * in the order in which they are made; none before the kernel was touched
   */
  'objects'?: (_terway_inspect_v1_PlannedObject)[];
  /**
   * the objects of an earlier plan may be there besides
   */
  'replacing'?: (boolean);
}

export interface EndpointInspection__Output {
  'endpoint': (_terway_inspect_v1_Endpoint__Output | null);
  /**
   * the ENI's, on the node; of a member its trunk's; empty without an ENI
   */
  'eniLink': (string);
  /**
   * of a member, otherwise 0
   */
  'vlanId': (number);
  /**
   * in the order in which they are made; none before the kernel was touched
   */
  'objects': (_terway_inspect_v1_PlannedObject__Output)[];
  /**
   * the objects of an earlier plan may be there besides
   */
  'replacing': (boolean);
}
