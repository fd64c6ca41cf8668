// Original file: proto/inspect.proto


export interface Event {
  /**
   * of the last time; see Node.now
   */
  'time'?: (number | string);
  /**
   * normal, warning
   */
  'level'?: (string);
  /**
   * one word, as in an event of Kubernetes
   */
  'reason'?: (string);
  'message'?: (string);
  /**
   * how often it has happened
   */
  'count'?: (number);
}

export interface Event__Output {
  /**
   * of the last time; see Node.now
   */
  'time': (number);
  /**
   * normal, warning
   */
  'level': (string);
  /**
   * one word, as in an event of Kubernetes
   */
  'reason': (string);
  'message': (string);
  /**
   * how often it has happened
   */
  'count': (number);
}
