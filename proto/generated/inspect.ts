import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Address as _terway_inspect_v1_Address, Address__Output as _terway_inspect_v1_Address__Output } from './terway/inspect/v1/Address.ts';
import type { Condition as _terway_inspect_v1_Condition, Condition__Output as _terway_inspect_v1_Condition__Output } from './terway/inspect/v1/Condition.ts';
import type { Difference as _terway_inspect_v1_Difference, Difference__Output as _terway_inspect_v1_Difference__Output } from './terway/inspect/v1/Difference.ts';
import type { Endpoint as _terway_inspect_v1_Endpoint, Endpoint__Output as _terway_inspect_v1_Endpoint__Output } from './terway/inspect/v1/Endpoint.ts';
import type { EndpointInspection as _terway_inspect_v1_EndpointInspection, EndpointInspection__Output as _terway_inspect_v1_EndpointInspection__Output } from './terway/inspect/v1/EndpointInspection.ts';
import type { Eni as _terway_inspect_v1_Eni, Eni__Output as _terway_inspect_v1_Eni__Output } from './terway/inspect/v1/Eni.ts';
import type { Event as _terway_inspect_v1_Event, Event__Output as _terway_inspect_v1_Event__Output } from './terway/inspect/v1/Event.ts';
import type { Feature as _terway_inspect_v1_Feature, Feature__Output as _terway_inspect_v1_Feature__Output } from './terway/inspect/v1/Feature.ts';
import type { ForeignEni as _terway_inspect_v1_ForeignEni, ForeignEni__Output as _terway_inspect_v1_ForeignEni__Output } from './terway/inspect/v1/ForeignEni.ts';
import type { HostInspection as _terway_inspect_v1_HostInspection, HostInspection__Output as _terway_inspect_v1_HostInspection__Output } from './terway/inspect/v1/HostInspection.ts';
import type { InspectClient as _terway_inspect_v1_InspectClient, InspectDefinition as _terway_inspect_v1_InspectDefinition } from './terway/inspect/v1/Inspect.ts';
import type { InspectHostRequest as _terway_inspect_v1_InspectHostRequest, InspectHostRequest__Output as _terway_inspect_v1_InspectHostRequest__Output } from './terway/inspect/v1/InspectHostRequest.ts';
import type { InspectPodRequest as _terway_inspect_v1_InspectPodRequest, InspectPodRequest__Output as _terway_inspect_v1_InspectPodRequest__Output } from './terway/inspect/v1/InspectPodRequest.ts';
import type { Node as _terway_inspect_v1_Node, Node__Output as _terway_inspect_v1_Node__Output } from './terway/inspect/v1/Node.ts';
import type { PlanInspection as _terway_inspect_v1_PlanInspection, PlanInspection__Output as _terway_inspect_v1_PlanInspection__Output } from './terway/inspect/v1/PlanInspection.ts';
import type { PlannedObject as _terway_inspect_v1_PlannedObject, PlannedObject__Output as _terway_inspect_v1_PlannedObject__Output } from './terway/inspect/v1/PlannedObject.ts';
import type { PodInspection as _terway_inspect_v1_PodInspection, PodInspection__Output as _terway_inspect_v1_PodInspection__Output } from './terway/inspect/v1/PodInspection.ts';
import type { Pool as _terway_inspect_v1_Pool, Pool__Output as _terway_inspect_v1_Pool__Output } from './terway/inspect/v1/Pool.ts';
import type { Prefix as _terway_inspect_v1_Prefix, Prefix__Output as _terway_inspect_v1_Prefix__Output } from './terway/inspect/v1/Prefix.ts';
import type { RateLimit as _terway_inspect_v1_RateLimit, RateLimit__Output as _terway_inspect_v1_RateLimit__Output } from './terway/inspect/v1/RateLimit.ts';
import type { Setting as _terway_inspect_v1_Setting, Setting__Output as _terway_inspect_v1_Setting__Output } from './terway/inspect/v1/Setting.ts';
import type { ShowRequest as _terway_inspect_v1_ShowRequest, ShowRequest__Output as _terway_inspect_v1_ShowRequest__Output } from './terway/inspect/v1/ShowRequest.ts';
import type { Table as _terway_inspect_v1_Table, Table__Output as _terway_inspect_v1_Table__Output } from './terway/inspect/v1/Table.ts';
import type { VerifyReply as _terway_inspect_v1_VerifyReply, VerifyReply__Output as _terway_inspect_v1_VerifyReply__Output } from './terway/inspect/v1/VerifyReply.ts';
import type { VerifyRequest as _terway_inspect_v1_VerifyRequest, VerifyRequest__Output as _terway_inspect_v1_VerifyRequest__Output } from './terway/inspect/v1/VerifyRequest.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  terway: {
    inspect: {
      v1: {
        Address: MessageTypeDefinition<_terway_inspect_v1_Address, _terway_inspect_v1_Address__Output>
        Condition: MessageTypeDefinition<_terway_inspect_v1_Condition, _terway_inspect_v1_Condition__Output>
        Difference: MessageTypeDefinition<_terway_inspect_v1_Difference, _terway_inspect_v1_Difference__Output>
        Endpoint: MessageTypeDefinition<_terway_inspect_v1_Endpoint, _terway_inspect_v1_Endpoint__Output>
        EndpointInspection: MessageTypeDefinition<_terway_inspect_v1_EndpointInspection, _terway_inspect_v1_EndpointInspection__Output>
        Eni: MessageTypeDefinition<_terway_inspect_v1_Eni, _terway_inspect_v1_Eni__Output>
        Event: MessageTypeDefinition<_terway_inspect_v1_Event, _terway_inspect_v1_Event__Output>
        Feature: MessageTypeDefinition<_terway_inspect_v1_Feature, _terway_inspect_v1_Feature__Output>
        ForeignEni: MessageTypeDefinition<_terway_inspect_v1_ForeignEni, _terway_inspect_v1_ForeignEni__Output>
        HostInspection: MessageTypeDefinition<_terway_inspect_v1_HostInspection, _terway_inspect_v1_HostInspection__Output>
        Inspect: SubtypeConstructor<typeof grpc.Client, _terway_inspect_v1_InspectClient> & { service: _terway_inspect_v1_InspectDefinition }
        InspectHostRequest: MessageTypeDefinition<_terway_inspect_v1_InspectHostRequest, _terway_inspect_v1_InspectHostRequest__Output>
        InspectPodRequest: MessageTypeDefinition<_terway_inspect_v1_InspectPodRequest, _terway_inspect_v1_InspectPodRequest__Output>
        Node: MessageTypeDefinition<_terway_inspect_v1_Node, _terway_inspect_v1_Node__Output>
        PlanInspection: MessageTypeDefinition<_terway_inspect_v1_PlanInspection, _terway_inspect_v1_PlanInspection__Output>
        PlannedObject: MessageTypeDefinition<_terway_inspect_v1_PlannedObject, _terway_inspect_v1_PlannedObject__Output>
        PodInspection: MessageTypeDefinition<_terway_inspect_v1_PodInspection, _terway_inspect_v1_PodInspection__Output>
        Pool: MessageTypeDefinition<_terway_inspect_v1_Pool, _terway_inspect_v1_Pool__Output>
        Prefix: MessageTypeDefinition<_terway_inspect_v1_Prefix, _terway_inspect_v1_Prefix__Output>
        RateLimit: MessageTypeDefinition<_terway_inspect_v1_RateLimit, _terway_inspect_v1_RateLimit__Output>
        Setting: MessageTypeDefinition<_terway_inspect_v1_Setting, _terway_inspect_v1_Setting__Output>
        ShowRequest: MessageTypeDefinition<_terway_inspect_v1_ShowRequest, _terway_inspect_v1_ShowRequest__Output>
        Table: MessageTypeDefinition<_terway_inspect_v1_Table, _terway_inspect_v1_Table__Output>
        VerifyReply: MessageTypeDefinition<_terway_inspect_v1_VerifyReply, _terway_inspect_v1_VerifyReply__Output>
        VerifyRequest: MessageTypeDefinition<_terway_inspect_v1_VerifyRequest, _terway_inspect_v1_VerifyRequest__Output>
      }
    }
  }
}

