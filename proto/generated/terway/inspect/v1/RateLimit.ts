// Original file: proto/inspect.proto


export interface RateLimit {
  /**
   * bytes per second
   */
  'rate'?: (number | string);
  /**
   * bytes; 0 for the default of the rate
   */
  'burst'?: (number | string);
}

export interface RateLimit__Output {
  /**
   * bytes per second
   */
  'rate': (number);
  /**
   * bytes; 0 for the default of the rate
   */
  'burst': (number);
}
