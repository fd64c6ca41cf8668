// Original file: proto/inspect.proto


/**
 * Addresses that are assigned together.
 */
export interface Prefix {
  'cidr'?: (string);
  /**
   * active, unassigning, lost
   */
  'phase'?: (string);
  /**
   * addresses that pods have
   */
  'used'?: (number);
  /**
   * addresses that can be given at once; of an IPv6 prefix those given before
   */
  'free'?: (number);
}

/**
 * Addresses that are assigned together.
 */
export interface Prefix__Output {
  'cidr': (string);
  /**
   * active, unassigning, lost
   */
  'phase': (string);
  /**
   * addresses that pods have
   */
  'used': (number);
  /**
   * addresses that can be given at once; of an IPv6 prefix those given before
   */
  'free': (number);
}
