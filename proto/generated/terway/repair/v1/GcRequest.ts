// Original file: proto/repair.proto


export interface GcRequest {
  /**
   * only says what it would do
   */
  'dryRun'?: (boolean);
  /**
   * looks twice at once, instead of waiting for the next round to see the same again
   */
  'force'?: (boolean);
}

export interface GcRequest__Output {
  /**
   * only says what it would do
   */
  'dryRun': (boolean);
  /**
   * looks twice at once, instead of waiting for the next round to see the same again
   */
  'force': (boolean);
}
