/** The contracts of cni.proto and inspect.proto as gRPC service definitions; one place, so both ends agree. */
import { loadPackageDefinition } from '@grpc/grpc-js'
import { fromJSON, type Options } from '@grpc/proto-loader'
import cniDescriptor from './generated/cni.descriptor.ts'
import type { ProtoGrpcType as CniTypes } from './generated/cni.ts'
import inspectDescriptor from './generated/inspect.descriptor.ts'
import type { ProtoGrpcType as InspectTypes } from './generated/inspect.ts'

/** Must agree with the options of the type generator in hack/generate-proto.ts. */
const LOAD_OPTIONS: Options = { longs: Number, enums: String, defaults: true, oneofs: true }

const cni = loadPackageDefinition(fromJSON(cniDescriptor, LOAD_OPTIONS)) as unknown as CniTypes
const inspect = loadPackageDefinition(fromJSON(inspectDescriptor, LOAD_OPTIONS)) as unknown as InspectTypes

/** Client constructor; its `.service` is the definition for a server. */
export const Cni = cni.terway.cni.v1.Cni
export const Inspect = inspect.terway.inspect.v1.Inspect
