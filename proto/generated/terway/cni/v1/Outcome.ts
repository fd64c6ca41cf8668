// Original file: proto/cni.proto

import type { Error as _terway_cni_v1_Error, Error__Output as _terway_cni_v1_Error__Output } from '../../../terway/cni/v1/Error.ts';

export interface Outcome {
  /**
   * goes to standard output unchanged; empty for every verb but ADD
   */
  'result'?: (Buffer | Uint8Array | string);
  'error'?: (_terway_cni_v1_Error | null);
  'outcome'?: "result"|"error";
}

export interface Outcome__Output {
  /**
   * goes to standard output unchanged; empty for every verb but ADD
   */
  'result'?: (Buffer);
  'error'?: (_terway_cni_v1_Error__Output | null);
  'outcome'?: "result"|"error";
}
