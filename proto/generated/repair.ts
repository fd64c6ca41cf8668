import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { GcFinding as _terway_repair_v1_GcFinding, GcFinding__Output as _terway_repair_v1_GcFinding__Output } from './terway/repair/v1/GcFinding.ts';
import type { GcReply as _terway_repair_v1_GcReply, GcReply__Output as _terway_repair_v1_GcReply__Output } from './terway/repair/v1/GcReply.ts';
import type { GcRequest as _terway_repair_v1_GcRequest, GcRequest__Output as _terway_repair_v1_GcRequest__Output } from './terway/repair/v1/GcRequest.ts';
import type { RepairClient as _terway_repair_v1_RepairClient, RepairDefinition as _terway_repair_v1_RepairDefinition } from './terway/repair/v1/Repair.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  terway: {
    repair: {
      v1: {
        GcFinding: MessageTypeDefinition<_terway_repair_v1_GcFinding, _terway_repair_v1_GcFinding__Output>
        GcReply: MessageTypeDefinition<_terway_repair_v1_GcReply, _terway_repair_v1_GcReply__Output>
        GcRequest: MessageTypeDefinition<_terway_repair_v1_GcRequest, _terway_repair_v1_GcRequest__Output>
        Repair: SubtypeConstructor<typeof grpc.Client, _terway_repair_v1_RepairClient> & { service: _terway_repair_v1_RepairDefinition }
      }
    }
  }
}

