// Original file: proto/inspect.proto

import type { Difference as _terway_inspect_v1_Difference, Difference__Output as _terway_inspect_v1_Difference__Output } from '../../../terway/inspect/v1/Difference.ts';

export interface VerifyReply {
  'differences'?: (_terway_inspect_v1_Difference)[];
  /**
   * how many were compared
   */
  'plans'?: (number);
}

export interface VerifyReply__Output {
  'differences': (_terway_inspect_v1_Difference__Output)[];
  /**
   * how many were compared
   */
  'plans': (number);
}
