// Original file: proto/repair.proto

import type { GcFinding as _terway_repair_v1_GcFinding, GcFinding__Output as _terway_repair_v1_GcFinding__Output } from '../../../terway/repair/v1/GcFinding.ts';

export interface GcReply {
  'findings'?: (_terway_repair_v1_GcFinding)[];
  /**
   * how many of each were looked at
   */
  'enis'?: (number);
  'addresses'?: (number);
  'pods'?: (number);
}

export interface GcReply__Output {
  'findings': (_terway_repair_v1_GcFinding__Output)[];
  /**
   * how many of each were looked at
   */
  'enis': (number);
  'addresses': (number);
  'pods': (number);
}
