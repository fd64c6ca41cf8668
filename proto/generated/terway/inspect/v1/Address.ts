// Original file: proto/inspect.proto


export interface Address {
  'ip'?: (string);
  'primary'?: (boolean);
  /**
   * assigning, warm, owned, cooling, unassigning
   */
  'phase'?: (string);
  /**
   * namespace/name of who has it; while it cools down, of who had it
   */
  'pod'?: (string);
  'containerId'?: (string);
  /**
   * ms since the epoch; 0 unless cooling
   */
  'coolingUntil'?: (number | string);
  /**
   * ipv4, ipv6
   */
  'family'?: (string);
  /**
   * a pod has it and the cloud no longer assigns it
   */
  'lost'?: (boolean);
}

export interface Address__Output {
  'ip': (string);
  'primary': (boolean);
  /**
   * assigning, warm, owned, cooling, unassigning
   */
  'phase': (string);
  /**
   * namespace/name of who has it; while it cools down, of who had it
   */
  'pod': (string);
  'containerId': (string);
  /**
   * ms since the epoch; 0 unless cooling
   */
  'coolingUntil': (number);
  /**
   * ipv4, ipv6
   */
  'family': (string);
  /**
   * a pod has it and the cloud no longer assigns it
   */
  'lost': (boolean);
}
