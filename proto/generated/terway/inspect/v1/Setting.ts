// Original file: proto/inspect.proto


/**
 * A sysctl that decides something and that no plan has.
 */
export interface Setting {
  /**
   * net.ipv4.conf.eth0.rp_filter
   */
  'key'?: (string);
  /**
   * empty when the kernel has none of this name
   */
  'value'?: (string);
}

/**
 * A sysctl that decides something and that no plan has.
 */
export interface Setting__Output {
  /**
   * net.ipv4.conf.eth0.rp_filter
   */
  'key': (string);
  /**
   * empty when the kernel has none of this name
   */
  'value': (string);
}
