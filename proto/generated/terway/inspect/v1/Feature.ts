// Original file: proto/inspect.proto


/**
 * What of the kernel some datapaths need.
 */
export interface Feature {
  /**
   * a type of link, or nf_tables
   */
  'name'?: (string);
  'present'?: (boolean);
}

/**
 * What of the kernel some datapaths need.
 */
export interface Feature__Output {
  /**
   * a type of link, or nf_tables
   */
  'name': (string);
  'present': (boolean);
}
