// Original file: proto/inspect.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { Node as _terway_inspect_v1_Node, Node__Output as _terway_inspect_v1_Node__Output } from '../../../terway/inspect/v1/Node.ts';
import type { ShowRequest as _terway_inspect_v1_ShowRequest, ShowRequest__Output as _terway_inspect_v1_ShowRequest__Output } from '../../../terway/inspect/v1/ShowRequest.ts';
import type { VerifyReply as _terway_inspect_v1_VerifyReply, VerifyReply__Output as _terway_inspect_v1_VerifyReply__Output } from '../../../terway/inspect/v1/VerifyReply.ts';
import type { VerifyRequest as _terway_inspect_v1_VerifyRequest, VerifyRequest__Output as _terway_inspect_v1_VerifyRequest__Output } from '../../../terway/inspect/v1/VerifyRequest.ts';

export interface InspectClient extends grpc.Client {
  /**
   * The node as the daemon sees it.
   */
  Show(argument: _terway_inspect_v1_ShowRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_inspect_v1_Node__Output>): grpc.ClientUnaryCall;
  Show(argument: _terway_inspect_v1_ShowRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_inspect_v1_Node__Output>): grpc.ClientUnaryCall;
  Show(argument: _terway_inspect_v1_ShowRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_inspect_v1_Node__Output>): grpc.ClientUnaryCall;
  Show(argument: _terway_inspect_v1_ShowRequest, callback: grpc.requestCallback<_terway_inspect_v1_Node__Output>): grpc.ClientUnaryCall;
  /**
   * The node as the daemon sees it.
   */
  show(argument: _terway_inspect_v1_ShowRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_inspect_v1_Node__Output>): grpc.ClientUnaryCall;
  show(argument: _terway_inspect_v1_ShowRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_inspect_v1_Node__Output>): grpc.ClientUnaryCall;
  show(argument: _terway_inspect_v1_ShowRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_inspect_v1_Node__Output>): grpc.ClientUnaryCall;
  show(argument: _terway_inspect_v1_ShowRequest, callback: grpc.requestCallback<_terway_inspect_v1_Node__Output>): grpc.ClientUnaryCall;
  
  /**
   * Every plan compared with the kernel, now.
   */
  Verify(argument: _terway_inspect_v1_VerifyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_inspect_v1_VerifyReply__Output>): grpc.ClientUnaryCall;
  Verify(argument: _terway_inspect_v1_VerifyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_inspect_v1_VerifyReply__Output>): grpc.ClientUnaryCall;
  Verify(argument: _terway_inspect_v1_VerifyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_inspect_v1_VerifyReply__Output>): grpc.ClientUnaryCall;
  Verify(argument: _terway_inspect_v1_VerifyRequest, callback: grpc.requestCallback<_terway_inspect_v1_VerifyReply__Output>): grpc.ClientUnaryCall;
  /**
   * Every plan compared with the kernel, now.
   */
  verify(argument: _terway_inspect_v1_VerifyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_inspect_v1_VerifyReply__Output>): grpc.ClientUnaryCall;
  verify(argument: _terway_inspect_v1_VerifyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_inspect_v1_VerifyReply__Output>): grpc.ClientUnaryCall;
  verify(argument: _terway_inspect_v1_VerifyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_inspect_v1_VerifyReply__Output>): grpc.ClientUnaryCall;
  verify(argument: _terway_inspect_v1_VerifyRequest, callback: grpc.requestCallback<_terway_inspect_v1_VerifyReply__Output>): grpc.ClientUnaryCall;
  
}

export interface InspectHandlers extends grpc.UntypedServiceImplementation {
  /**
   * The node as the daemon sees it.
   */
  Show: grpc.handleUnaryCall<_terway_inspect_v1_ShowRequest__Output, _terway_inspect_v1_Node>;
  
  /**
   * Every plan compared with the kernel, now.
   */
  Verify: grpc.handleUnaryCall<_terway_inspect_v1_VerifyRequest__Output, _terway_inspect_v1_VerifyReply>;
  
}

export interface InspectDefinition extends grpc.ServiceDefinition {
  Show: MethodDefinition<_terway_inspect_v1_ShowRequest, _terway_inspect_v1_Node, _terway_inspect_v1_ShowRequest__Output, _terway_inspect_v1_Node__Output>
  Verify: MethodDefinition<_terway_inspect_v1_VerifyRequest, _terway_inspect_v1_VerifyReply, _terway_inspect_v1_VerifyRequest__Output, _terway_inspect_v1_VerifyReply__Output>
}
