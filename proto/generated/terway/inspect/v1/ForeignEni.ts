// Original file: proto/inspect.proto


/**
 * An ENI attached to this instance that is not Terway's: never touched, but it takes a place.
 */
export interface ForeignEni {
  'id'?: (string);
  /**
   * Secondary, Trunk, Member
   */
  'type'?: (string);
  /**
   * what tells that it is somebody else's
   */
  'why'?: (string);
}

/**
 * An ENI attached to this instance that is not Terway's: never touched, but it takes a place.
 */
export interface ForeignEni__Output {
  'id': (string);
  /**
   * Secondary, Trunk, Member
   */
  'type': (string);
  /**
   * what tells that it is somebody else's
   */
  'why': (string);
}
