// Original file: proto/inspect.proto


export interface Condition {
  'type'?: (string);
  /**
   * True, False, Unknown; True is good
   */
  'status'?: (string);
  'reason'?: (string);
  'message'?: (string);
  /**
   * see Node.now
   */
  'since'?: (number | string);
}

export interface Condition__Output {
  'type': (string);
  /**
   * True, False, Unknown; True is good
   */
  'status': (string);
  'reason': (string);
  'message': (string);
  /**
   * see Node.now
   */
  'since': (number);
}
