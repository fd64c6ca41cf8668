// Original file: proto/inspect.proto

import type { Feature as _terway_inspect_v1_Feature, Feature__Output as _terway_inspect_v1_Feature__Output } from '../../../terway/inspect/v1/Feature.ts';
import type { PlanInspection as _terway_inspect_v1_PlanInspection, PlanInspection__Output as _terway_inspect_v1_PlanInspection__Output } from '../../../terway/inspect/v1/PlanInspection.ts';
import type { Setting as _terway_inspect_v1_Setting, Setting__Output as _terway_inspect_v1_Setting__Output } from '../../../terway/inspect/v1/Setting.ts';
import type { Table as _terway_inspect_v1_Table, Table__Output as _terway_inspect_v1_Table__Output } from '../../../terway/inspect/v1/Table.ts';

export interface HostInspection {
  'name'?: (string);
  /**
   * of the daemon
   */
  'version'?: (string);
  /**
   * release, as of uname -r
   */
  'kernel'?: (string);
  /**
   * shared, exclusive, member, route
   */
  'mode'?: (string);
  /**
   * of pods: ipv4, ipv6
   */
  'families'?: (string)[];
  /**
   * map, rules
   */
  'policyRoute'?: (string);
  'serviceCidrs'?: (string)[];
  /**
   * of the node, in VPC route mode
   */
  'podCidrs'?: (string)[];
  'primaryLink'?: (string);
  /**
   * of the node
   */
  'addresses'?: (string)[];
  'features'?: (_terway_inspect_v1_Feature)[];
  /**
   * the node's own, then those of its ENIs
   */
  'plans'?: (_terway_inspect_v1_PlanInspection)[];
  'settings'?: (_terway_inspect_v1_Setting)[];
  'tables'?: (_terway_inspect_v1_Table)[];
  'pods'?: (number);
  /**
   * sources that are marked
   */
  'marks'?: (number);
  /**
   * of both families, anybody's
   */
  'rules'?: (number);
}

export interface HostInspection__Output {
  'name': (string);
  /**
   * of the daemon
   */
  'version': (string);
  /**
   * release, as of uname -r
   */
  'kernel': (string);
  /**
   * shared, exclusive, member, route
   */
  'mode': (string);
  /**
   * of pods: ipv4, ipv6
   */
  'families': (string)[];
  /**
   * map, rules
   */
  'policyRoute': (string);
  'serviceCidrs': (string)[];
  /**
   * of the node, in VPC route mode
   */
  'podCidrs': (string)[];
  'primaryLink': (string);
  /**
   * of the node
   */
  'addresses': (string)[];
  'features': (_terway_inspect_v1_Feature__Output)[];
  /**
   * the node's own, then those of its ENIs
   */
  'plans': (_terway_inspect_v1_PlanInspection__Output)[];
  'settings': (_terway_inspect_v1_Setting__Output)[];
  'tables': (_terway_inspect_v1_Table__Output)[];
  'pods': (number);
  /**
   * sources that are marked
   */
  'marks': (number);
  /**
   * of both families, anybody's
   */
  'rules': (number);
}
