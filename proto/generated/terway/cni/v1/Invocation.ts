// Original file: proto/cni.proto


export interface Invocation {
  /**
   * CNI_CONTAINERID
   */
  'containerId'?: (string);
  /**
   * CNI_NETNS, a path; may be empty for DEL
   */
  'netns'?: (string);
  /**
   * CNI_IFNAME
   */
  'ifname'?: (string);
  /**
   * CNI_ARGS, undecoded
   */
  'args'?: (string);
  /**
   * standard input, undecoded
   */
  'config'?: (Buffer | Uint8Array | string);
}

export interface Invocation__Output {
  /**
   * CNI_CONTAINERID
   */
  'containerId': (string);
  /**
   * CNI_NETNS, a path; may be empty for DEL
   */
  'netns': (string);
  /**
   * CNI_IFNAME
   */
  'ifname': (string);
  /**
   * CNI_ARGS, undecoded
   */
  'args': (string);
  /**
   * standard input, undecoded
   */
  'config': (Buffer);
}
