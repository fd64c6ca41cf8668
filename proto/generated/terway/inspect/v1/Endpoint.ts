// Original file: proto/inspect.proto


export interface Endpoint {
  'containerId'?: (string);
  'ifname'?: (string);
  'netns'?: (string);
  'namespace'?: (string);
  'pod'?: (string);
  'ips'?: (string)[];
  'eniId'?: (string);
  'hostLink'?: (string);
  /**
   * adding, ready, deleting
   */
  'phase'?: (string);
  /**
   * ms since the epoch
   */
  'since'?: (number | string);
}

export interface Endpoint__Output {
  'containerId': (string);
  'ifname': (string);
  'netns': (string);
  'namespace': (string);
  'pod': (string);
  'ips': (string)[];
  'eniId': (string);
  'hostLink': (string);
  /**
   * adding, ready, deleting
   */
  'phase': (string);
  /**
   * ms since the epoch
   */
  'since': (number);
}
