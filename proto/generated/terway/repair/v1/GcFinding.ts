// Original file: proto/repair.proto


export interface GcFinding {
  /**
   * adopted, suspected, released, lost, ghost, regained, foreign, stray, reattached, removed, failed
   */
  'kind'?: (string);
  /**
   * info, warn, error
   */
  'level'?: (string);
  /**
   * its id; empty when it is not about one
   */
  'eni'?: (string);
  /**
   * or prefix, or several with commas
   */
  'address'?: (string);
  /**
   * namespace/name or container id
   */
  'pod'?: (string);
  'why'?: (string);
  /**
   * done, would (dry run), later (when it is seen again), failed (it is tried again), none (nothing is to be done)
   */
  'outcome'?: (string);
}

export interface GcFinding__Output {
  /**
   * adopted, suspected, released, lost, ghost, regained, foreign, stray, reattached, removed, failed
   */
  'kind': (string);
  /**
   * info, warn, error
   */
  'level': (string);
  /**
   * its id; empty when it is not about one
   */
  'eni': (string);
  /**
   * or prefix, or several with commas
   */
  'address': (string);
  /**
   * namespace/name or container id
   */
  'pod': (string);
  'why': (string);
  /**
   * done, would (dry run), later (when it is seen again), failed (it is tried again), none (nothing is to be done)
   */
  'outcome': (string);
}
