// Original file: proto/inspect.proto


export interface InspectPodRequest {
  'namespace'?: (string);
  'pod'?: (string);
  /**
   * of the sandbox, or how it begins; empty for all that the pod has
   */
  'containerId'?: (string);
}

export interface InspectPodRequest__Output {
  'namespace': (string);
  'pod': (string);
  /**
   * of the sandbox, or how it begins; empty for all that the pod has
   */
  'containerId': (string);
}
