import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { CniClient as _terway_cni_v1_CniClient, CniDefinition as _terway_cni_v1_CniDefinition } from './terway/cni/v1/Cni.ts';
import type { Error as _terway_cni_v1_Error, Error__Output as _terway_cni_v1_Error__Output } from './terway/cni/v1/Error.ts';
import type { Invocation as _terway_cni_v1_Invocation, Invocation__Output as _terway_cni_v1_Invocation__Output } from './terway/cni/v1/Invocation.ts';
import type { Outcome as _terway_cni_v1_Outcome, Outcome__Output as _terway_cni_v1_Outcome__Output } from './terway/cni/v1/Outcome.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  terway: {
    cni: {
      v1: {
        /**
         * Each verb of the CNI specification 1.1, handed over as the runtime gave it. Everything that needs knowledge of
         * networks (decoding the configuration, choosing an address, the shape of the result) happens in the daemon.
         */
        Cni: SubtypeConstructor<typeof grpc.Client, _terway_cni_v1_CniClient> & { service: _terway_cni_v1_CniDefinition }
        Error: MessageTypeDefinition<_terway_cni_v1_Error, _terway_cni_v1_Error__Output>
        Invocation: MessageTypeDefinition<_terway_cni_v1_Invocation, _terway_cni_v1_Invocation__Output>
        Outcome: MessageTypeDefinition<_terway_cni_v1_Outcome, _terway_cni_v1_Outcome__Output>
      }
    }
  }
}

