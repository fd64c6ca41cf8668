// Original file: proto/cni.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { Invocation as _terway_cni_v1_Invocation, Invocation__Output as _terway_cni_v1_Invocation__Output } from '../../../terway/cni/v1/Invocation.ts';
import type { Outcome as _terway_cni_v1_Outcome, Outcome__Output as _terway_cni_v1_Outcome__Output } from '../../../terway/cni/v1/Outcome.ts';

/**
 * Each verb of the CNI specification 1.1, handed over as the runtime gave it. Everything that needs knowledge of
 * networks (decoding the configuration, choosing an address, the shape of the result) happens in the daemon.
 */
export interface CniClient extends grpc.Client {
  Add(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  Add(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  Add(argument: _terway_cni_v1_Invocation, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  Add(argument: _terway_cni_v1_Invocation, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  add(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  add(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  add(argument: _terway_cni_v1_Invocation, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  add(argument: _terway_cni_v1_Invocation, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  
  Check(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  Check(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  Check(argument: _terway_cni_v1_Invocation, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  Check(argument: _terway_cni_v1_Invocation, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  check(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  check(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  check(argument: _terway_cni_v1_Invocation, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  check(argument: _terway_cni_v1_Invocation, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  
  Del(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  Del(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  Del(argument: _terway_cni_v1_Invocation, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  Del(argument: _terway_cni_v1_Invocation, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  del(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  del(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  del(argument: _terway_cni_v1_Invocation, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  del(argument: _terway_cni_v1_Invocation, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  
  Gc(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  Gc(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  Gc(argument: _terway_cni_v1_Invocation, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  Gc(argument: _terway_cni_v1_Invocation, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  gc(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  gc(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  gc(argument: _terway_cni_v1_Invocation, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  gc(argument: _terway_cni_v1_Invocation, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  
  Status(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  Status(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  Status(argument: _terway_cni_v1_Invocation, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  Status(argument: _terway_cni_v1_Invocation, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  status(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  status(argument: _terway_cni_v1_Invocation, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  status(argument: _terway_cni_v1_Invocation, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  status(argument: _terway_cni_v1_Invocation, callback: grpc.requestCallback<_terway_cni_v1_Outcome__Output>): grpc.ClientUnaryCall;
  
}

/**
 * Each verb of the CNI specification 1.1, handed over as the runtime gave it. Everything that needs knowledge of
 * networks (decoding the configuration, choosing an address, the shape of the result) happens in the daemon.
 */
export interface CniHandlers extends grpc.UntypedServiceImplementation {
  Add: grpc.handleUnaryCall<_terway_cni_v1_Invocation__Output, _terway_cni_v1_Outcome>;
  
  Check: grpc.handleUnaryCall<_terway_cni_v1_Invocation__Output, _terway_cni_v1_Outcome>;
  
  Del: grpc.handleUnaryCall<_terway_cni_v1_Invocation__Output, _terway_cni_v1_Outcome>;
  
  Gc: grpc.handleUnaryCall<_terway_cni_v1_Invocation__Output, _terway_cni_v1_Outcome>;
  
  Status: grpc.handleUnaryCall<_terway_cni_v1_Invocation__Output, _terway_cni_v1_Outcome>;
  
}

export interface CniDefinition extends grpc.ServiceDefinition {
  Add: MethodDefinition<_terway_cni_v1_Invocation, _terway_cni_v1_Outcome, _terway_cni_v1_Invocation__Output, _terway_cni_v1_Outcome__Output>
  Check: MethodDefinition<_terway_cni_v1_Invocation, _terway_cni_v1_Outcome, _terway_cni_v1_Invocation__Output, _terway_cni_v1_Outcome__Output>
  Del: MethodDefinition<_terway_cni_v1_Invocation, _terway_cni_v1_Outcome, _terway_cni_v1_Invocation__Output, _terway_cni_v1_Outcome__Output>
  Gc: MethodDefinition<_terway_cni_v1_Invocation, _terway_cni_v1_Outcome, _terway_cni_v1_Invocation__Output, _terway_cni_v1_Outcome__Output>
  Status: MethodDefinition<_terway_cni_v1_Invocation, _terway_cni_v1_Outcome, _terway_cni_v1_Invocation__Output, _terway_cni_v1_Outcome__Output>
}
