// Original file: proto/inspect.proto


export interface Pool {
  /**
   * addresses the cloud has assigned to ENIs in use
   */
  'total'?: (number);
  'allocated'?: (number);
  /**
   * warm: can be given at once
   */
  'available'?: (number);
  'cooling'?: (number);
  /**
   * what instance type and configuration allow in all
   */
  'capacity'?: (number);
  'min'?: (number);
  'max'?: (number);
  /**
   * ADDs waiting for an address
   */
  'waiting'?: (number);
  /**
   * those that every pod has an address of: ipv4, ipv6
   */
  'families'?: (string)[];
  /**
   * shared, exclusive, member
   */
  'kind'?: (string);
  /**
   * fixed, adaptive
   */
  'strategy'?: (string);
  /**
   * free addresses aimed at now
   */
  'target'?: (number);
  /**
   * attached ENIs that no pod has an address of
   */
  'warmEnis'?: (number);
}

export interface Pool__Output {
  /**
   * addresses the cloud has assigned to ENIs in use
   */
  'total': (number);
  'allocated': (number);
  /**
   * warm: can be given at once
   */
  'available': (number);
  'cooling': (number);
  /**
   * what instance type and configuration allow in all
   */
  'capacity': (number);
  'min': (number);
  'max': (number);
  /**
   * ADDs waiting for an address
   */
  'waiting': (number);
  /**
   * those that every pod has an address of: ipv4, ipv6
   */
  'families': (string)[];
  /**
   * shared, exclusive, member
   */
  'kind': (string);
  /**
   * fixed, adaptive
   */
  'strategy': (string);
  /**
   * free addresses aimed at now
   */
  'target': (number);
  /**
   * attached ENIs that no pod has an address of
   */
  'warmEnis': (number);
}
