// Original file: proto/inspect.proto


/**
 * One object of a plan beside what the kernel has.
 */
export interface PlannedObject {
  /**
   * host, pod
   */
  'netns'?: (string);
  /**
   * netns, link, sysctl, address, neighbour, route, rule, qdisc, filter, mark
   */
  'object'?: (string);
  /**
   * in the words of iproute2, tc, nft or sysctl
   */
  'wanted'?: (string);
  /**
   * in what way it is different; of a sysctl of the host what it is, in any state
   */
  'found'?: (string);
  /**
   * same, missing, different; tolerated: a sysctl that this kernel has not got or lets nobody write, and that the plan
   * can do without
   */
  'state'?: (string);
}

/**
 * One object of a plan beside what the kernel has.
 */
export interface PlannedObject__Output {
  /**
   * host, pod
   */
  'netns': (string);
  /**
   * netns, link, sysctl, address, neighbour, route, rule, qdisc, filter, mark
   */
  'object': (string);
  /**
   * in the words of iproute2, tc, nft or sysctl
   */
  'wanted': (string);
  /**
   * in what way it is different; of a sysctl of the host what it is, in any state
   */
  'found': (string);
  /**
   * same, missing, different; tolerated: a sysctl that this kernel has not got or lets nobody write, and that the plan
   * can do without
   */
  'state': (string);
}
