// Original file: proto/repair.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GcReply as _terway_repair_v1_GcReply, GcReply__Output as _terway_repair_v1_GcReply__Output } from '../../../terway/repair/v1/GcReply.ts';
import type { GcRequest as _terway_repair_v1_GcRequest, GcRequest__Output as _terway_repair_v1_GcRequest__Output } from '../../../terway/repair/v1/GcRequest.ts';

export interface RepairClient extends grpc.Client {
  /**
   * Compares journal, cloud, kernel and sandboxes with each other, takes back what nobody has, takes over what is ours.
   */
  Gc(argument: _terway_repair_v1_GcRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_repair_v1_GcReply__Output>): grpc.ClientUnaryCall;
  Gc(argument: _terway_repair_v1_GcRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_repair_v1_GcReply__Output>): grpc.ClientUnaryCall;
  Gc(argument: _terway_repair_v1_GcRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_repair_v1_GcReply__Output>): grpc.ClientUnaryCall;
  Gc(argument: _terway_repair_v1_GcRequest, callback: grpc.requestCallback<_terway_repair_v1_GcReply__Output>): grpc.ClientUnaryCall;
  /**
   * Compares journal, cloud, kernel and sandboxes with each other, takes back what nobody has, takes over what is ours.
   */
  gc(argument: _terway_repair_v1_GcRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_repair_v1_GcReply__Output>): grpc.ClientUnaryCall;
  gc(argument: _terway_repair_v1_GcRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_repair_v1_GcReply__Output>): grpc.ClientUnaryCall;
  gc(argument: _terway_repair_v1_GcRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_repair_v1_GcReply__Output>): grpc.ClientUnaryCall;
  gc(argument: _terway_repair_v1_GcRequest, callback: grpc.requestCallback<_terway_repair_v1_GcReply__Output>): grpc.ClientUnaryCall;
  
}

export interface RepairHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Compares journal, cloud, kernel and sandboxes with each other, takes back what nobody has, takes over what is ours.
   */
  Gc: grpc.handleUnaryCall<_terway_repair_v1_GcRequest__Output, _terway_repair_v1_GcReply>;
  
}

export interface RepairDefinition extends grpc.ServiceDefinition {
  Gc: MethodDefinition<_terway_repair_v1_GcRequest, _terway_repair_v1_GcReply, _terway_repair_v1_GcRequest__Output, _terway_repair_v1_GcReply__Output>
}
