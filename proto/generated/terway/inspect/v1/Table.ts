// Original file: proto/inspect.proto


/**
 * A table of the kernel's that can become full.
 */
export interface Table {
  /**
   * connections, ipv4 neighbours, ipv6 neighbours
   */
  'name'?: (string);
  'used'?: (number | string);
  'limit'?: (number | string);
  /**
   * what to do about it; empty when there is nothing to do
   */
  'note'?: (string);
}

/**
 * A table of the kernel's that can become full.
 */
export interface Table__Output {
  /**
   * connections, ipv4 neighbours, ipv6 neighbours
   */
  'name': (string);
  'used': (number);
  'limit': (number);
  /**
   * what to do about it; empty when there is nothing to do
   */
  'note': (string);
}
