// Original file: proto/inspect.proto


export interface Event {
  /**
   * ms since the epoch, of the last time
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
   * ms since the epoch, of the last time
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
