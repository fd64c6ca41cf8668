// Original file: proto/inspect.proto

import type { PlannedObject as _terway_inspect_v1_PlannedObject, PlannedObject__Output as _terway_inspect_v1_PlannedObject__Output } from '../../../terway/inspect/v1/PlannedObject.ts';

export interface PlanInspection {
  /**
   * node, or the id of the ENI
   */
  'owner'?: (string);
  /**
   * the ENI's; empty for the node
   */
  'link'?: (string);
  'objects'?: (_terway_inspect_v1_PlannedObject)[];
}

export interface PlanInspection__Output {
  /**
   * node, or the id of the ENI
   */
  'owner': (string);
  /**
   * the ENI's; empty for the node
   */
  'link': (string);
  'objects': (_terway_inspect_v1_PlannedObject__Output)[];
}
