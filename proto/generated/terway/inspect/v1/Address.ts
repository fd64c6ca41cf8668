// Original file: proto/inspect.proto


export interface Address {
  'ip'?: (string);
  'primary'?: (boolean);
  /**
   * assigning, warm, owned, cooling, unassigning
   */
  'phase'?: (string);
  /**
   * namespace/name of the owner; empty unless owned
   */
  'pod'?: (string);
  'containerId'?: (string);
  /**
   * ms since the epoch; 0 unless cooling
   */
  'coolingUntil'?: (number | string);
}

export interface Address__Output {
  'ip': (string);
  'primary': (boolean);
  /**
   * assigning, warm, owned, cooling, unassigning
   */
  'phase': (string);
  /**
   * namespace/name of the owner; empty unless owned
   */
  'pod': (string);
  'containerId': (string);
  /**
   * ms since the epoch; 0 unless cooling
   */
  'coolingUntil': (number);
}
