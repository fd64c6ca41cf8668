// Original file: proto/inspect.proto


export interface Address {
  'ip'?: (string);
  'primary'?: (boolean);
  /**
   * warm, owned, cooling, unassigning
   */
  'phase'?: (string);
  /**
   * namespace/name of who has it; while it cools down, of who had it
   */
  'pod'?: (string);
  'containerId'?: (string);
  /**
   * see Node.now; 0 unless cooling
   */
  'coolingUntil'?: (number | string);
  /**
   * ipv4, ipv6
   */
  'family'?: (string);
  /**
   * a pod has it, and the cloud no longer assigns it to this node
   */
  'lost'?: (boolean);
}

export interface Address__Output {
  'ip': (string);
  'primary': (boolean);
  /**
   * warm, owned, cooling, unassigning
   */
  'phase': (string);
  /**
   * namespace/name of who has it; while it cools down, of who had it
   */
  'pod': (string);
  'containerId': (string);
  /**
   * see Node.now; 0 unless cooling
   */
  'coolingUntil': (number);
  /**
   * ipv4, ipv6
   */
  'family': (string);
  /**
   * a pod has it, and the cloud no longer assigns it to this node
   */
  'lost': (boolean);
}
