// Original file: proto/inspect.proto


export interface Difference {
  /**
   * container id and ifname of the endpoint, or the id of the ENI
   */
  'owner'?: (string);
  'netns'?: (string);
  'object'?: (string);
  'subject'?: (string);
  'problem'?: (string);
  'found'?: (string);
}

export interface Difference__Output {
  /**
   * container id and ifname of the endpoint, or the id of the ENI
   */
  'owner': (string);
  'netns': (string);
  'object': (string);
  'subject': (string);
  'problem': (string);
  'found': (string);
}
