import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Address as _terway_inspect_v1_Address, Address__Output as _terway_inspect_v1_Address__Output } from './terway/inspect/v1/Address.ts';
import type { Condition as _terway_inspect_v1_Condition, Condition__Output as _terway_inspect_v1_Condition__Output } from './terway/inspect/v1/Condition.ts';
import type { Difference as _terway_inspect_v1_Difference, Difference__Output as _terway_inspect_v1_Difference__Output } from './terway/inspect/v1/Difference.ts';
import type { Endpoint as _terway_inspect_v1_Endpoint, Endpoint__Output as _terway_inspect_v1_Endpoint__Output } from './terway/inspect/v1/Endpoint.ts';
import type { Eni as _terway_inspect_v1_Eni, Eni__Output as _terway_inspect_v1_Eni__Output } from './terway/inspect/v1/Eni.ts';
import type { Event as _terway_inspect_v1_Event, Event__Output as _terway_inspect_v1_Event__Output } from './terway/inspect/v1/Event.ts';
import type { ForeignEni as _terway_inspect_v1_ForeignEni, ForeignEni__Output as _terway_inspect_v1_ForeignEni__Output } from './terway/inspect/v1/ForeignEni.ts';
import type { InspectClient as _terway_inspect_v1_InspectClient, InspectDefinition as _terway_inspect_v1_InspectDefinition } from './terway/inspect/v1/Inspect.ts';
import type { Node as _terway_inspect_v1_Node, Node__Output as _terway_inspect_v1_Node__Output } from './terway/inspect/v1/Node.ts';
import type { Pool as _terway_inspect_v1_Pool, Pool__Output as _terway_inspect_v1_Pool__Output } from './terway/inspect/v1/Pool.ts';
import type { Prefix as _terway_inspect_v1_Prefix, Prefix__Output as _terway_inspect_v1_Prefix__Output } from './terway/inspect/v1/Prefix.ts';
import type { ShowRequest as _terway_inspect_v1_ShowRequest, ShowRequest__Output as _terway_inspect_v1_ShowRequest__Output } from './terway/inspect/v1/ShowRequest.ts';
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
        Eni: MessageTypeDefinition<_terway_inspect_v1_Eni, _terway_inspect_v1_Eni__Output>
        Event: MessageTypeDefinition<_terway_inspect_v1_Event, _terway_inspect_v1_Event__Output>
        ForeignEni: MessageTypeDefinition<_terway_inspect_v1_ForeignEni, _terway_inspect_v1_ForeignEni__Output>
        Inspect: SubtypeConstructor<typeof grpc.Client, _terway_inspect_v1_InspectClient> & { service: _terway_inspect_v1_InspectDefinition }
        Node: MessageTypeDefinition<_terway_inspect_v1_Node, _terway_inspect_v1_Node__Output>
        Pool: MessageTypeDefinition<_terway_inspect_v1_Pool, _terway_inspect_v1_Pool__Output>
        Prefix: MessageTypeDefinition<_terway_inspect_v1_Prefix, _terway_inspect_v1_Prefix__Output>
        ShowRequest: MessageTypeDefinition<_terway_inspect_v1_ShowRequest, _terway_inspect_v1_ShowRequest__Output>
        VerifyReply: MessageTypeDefinition<_terway_inspect_v1_VerifyReply, _terway_inspect_v1_VerifyReply__Output>
        VerifyRequest: MessageTypeDefinition<_terway_inspect_v1_VerifyRequest, _terway_inspect_v1_VerifyRequest__Output>
      }
    }
  }
}

