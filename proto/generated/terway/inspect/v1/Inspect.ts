// Original file: proto/inspect.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { HostInspection as _terway_inspect_v1_HostInspection, HostInspection__Output as _terway_inspect_v1_HostInspection__Output } from '../../../terway/inspect/v1/HostInspection.ts';
import type { InspectHostRequest as _terway_inspect_v1_InspectHostRequest, InspectHostRequest__Output as _terway_inspect_v1_InspectHostRequest__Output } from '../../../terway/inspect/v1/InspectHostRequest.ts';
import type { InspectPodRequest as _terway_inspect_v1_InspectPodRequest, InspectPodRequest__Output as _terway_inspect_v1_InspectPodRequest__Output } from '../../../terway/inspect/v1/InspectPodRequest.ts';
import type { Node as _terway_inspect_v1_Node, Node__Output as _terway_inspect_v1_Node__Output } from '../../../terway/inspect/v1/Node.ts';
import type { PodInspection as _terway_inspect_v1_PodInspection, PodInspection__Output as _terway_inspect_v1_PodInspection__Output } from '../../../terway/inspect/v1/PodInspection.ts';
import type { ShowRequest as _terway_inspect_v1_ShowRequest, ShowRequest__Output as _terway_inspect_v1_ShowRequest__Output } from '../../../terway/inspect/v1/ShowRequest.ts';
import type { VerifyReply as _terway_inspect_v1_VerifyReply, VerifyReply__Output as _terway_inspect_v1_VerifyReply__Output } from '../../../terway/inspect/v1/VerifyReply.ts';
import type { VerifyRequest as _terway_inspect_v1_VerifyRequest, VerifyRequest__Output as _terway_inspect_v1_VerifyRequest__Output } from '../../../terway/inspect/v1/VerifyRequest.ts';

export interface InspectClient extends grpc.Client {
  /**
   * What pods rest on: the node's own objects and those of its ENIs, what the kernel can do, how full its tables are.
   */
  InspectHost(argument: _terway_inspect_v1_InspectHostRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_inspect_v1_HostInspection__Output>): grpc.ClientUnaryCall;
  InspectHost(argument: _terway_inspect_v1_InspectHostRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_inspect_v1_HostInspection__Output>): grpc.ClientUnaryCall;
  InspectHost(argument: _terway_inspect_v1_InspectHostRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_inspect_v1_HostInspection__Output>): grpc.ClientUnaryCall;
  InspectHost(argument: _terway_inspect_v1_InspectHostRequest, callback: grpc.requestCallback<_terway_inspect_v1_HostInspection__Output>): grpc.ClientUnaryCall;
  /**
   * What pods rest on: the node's own objects and those of its ENIs, what the kernel can do, how full its tables are.
   */
  inspectHost(argument: _terway_inspect_v1_InspectHostRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_inspect_v1_HostInspection__Output>): grpc.ClientUnaryCall;
  inspectHost(argument: _terway_inspect_v1_InspectHostRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_inspect_v1_HostInspection__Output>): grpc.ClientUnaryCall;
  inspectHost(argument: _terway_inspect_v1_InspectHostRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_inspect_v1_HostInspection__Output>): grpc.ClientUnaryCall;
  inspectHost(argument: _terway_inspect_v1_InspectHostRequest, callback: grpc.requestCallback<_terway_inspect_v1_HostInspection__Output>): grpc.ClientUnaryCall;
  
  /**
   * A pod's interfaces with every object that they should have in the kernel. NOT_FOUND: the pod has none.
   */
  InspectPod(argument: _terway_inspect_v1_InspectPodRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_inspect_v1_PodInspection__Output>): grpc.ClientUnaryCall;
  InspectPod(argument: _terway_inspect_v1_InspectPodRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_inspect_v1_PodInspection__Output>): grpc.ClientUnaryCall;
  InspectPod(argument: _terway_inspect_v1_InspectPodRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_inspect_v1_PodInspection__Output>): grpc.ClientUnaryCall;
  InspectPod(argument: _terway_inspect_v1_InspectPodRequest, callback: grpc.requestCallback<_terway_inspect_v1_PodInspection__Output>): grpc.ClientUnaryCall;
  /**
   * A pod's interfaces with every object that they should have in the kernel. NOT_FOUND: the pod has none.
   */
  inspectPod(argument: _terway_inspect_v1_InspectPodRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_inspect_v1_PodInspection__Output>): grpc.ClientUnaryCall;
  inspectPod(argument: _terway_inspect_v1_InspectPodRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_terway_inspect_v1_PodInspection__Output>): grpc.ClientUnaryCall;
  inspectPod(argument: _terway_inspect_v1_InspectPodRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_terway_inspect_v1_PodInspection__Output>): grpc.ClientUnaryCall;
  inspectPod(argument: _terway_inspect_v1_InspectPodRequest, callback: grpc.requestCallback<_terway_inspect_v1_PodInspection__Output>): grpc.ClientUnaryCall;
  
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
   * What pods rest on: the node's own objects and those of its ENIs, what the kernel can do, how full its tables are.
   */
  InspectHost: grpc.handleUnaryCall<_terway_inspect_v1_InspectHostRequest__Output, _terway_inspect_v1_HostInspection>;
  
  /**
   * A pod's interfaces with every object that they should have in the kernel. NOT_FOUND: the pod has none.
   */
  InspectPod: grpc.handleUnaryCall<_terway_inspect_v1_InspectPodRequest__Output, _terway_inspect_v1_PodInspection>;
  
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
  InspectHost: MethodDefinition<_terway_inspect_v1_InspectHostRequest, _terway_inspect_v1_HostInspection, _terway_inspect_v1_InspectHostRequest__Output, _terway_inspect_v1_HostInspection__Output>
  InspectPod: MethodDefinition<_terway_inspect_v1_InspectPodRequest, _terway_inspect_v1_PodInspection, _terway_inspect_v1_InspectPodRequest__Output, _terway_inspect_v1_PodInspection__Output>
  Show: MethodDefinition<_terway_inspect_v1_ShowRequest, _terway_inspect_v1_Node, _terway_inspect_v1_ShowRequest__Output, _terway_inspect_v1_Node__Output>
  Verify: MethodDefinition<_terway_inspect_v1_VerifyRequest, _terway_inspect_v1_VerifyReply, _terway_inspect_v1_VerifyRequest__Output, _terway_inspect_v1_VerifyReply__Output>
}
