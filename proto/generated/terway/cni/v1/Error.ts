// Original file: proto/cni.proto


/**
 * Codes of the CNI specification: 1-99 from the specification, 100 and above are Terway's.
 */
export interface Error {
  'code'?: (number);
  /**
   * `reason: text`; containerd shows nothing else
   */
  'msg'?: (string);
  /**
   * what the operator can do
   */
  'details'?: (string);
}

/**
 * Codes of the CNI specification: 1-99 from the specification, 100 and above are Terway's.
 */
export interface Error__Output {
  'code': (number);
  /**
   * `reason: text`; containerd shows nothing else
   */
  'msg': (string);
  /**
   * what the operator can do
   */
  'details': (string);
}
