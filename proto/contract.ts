/** The contracts of the .proto files as gRPC service definitions; one place, so both ends agree. */
import { loadPackageDefinition } from '@grpc/grpc-js'
import { fromJSON, type Options } from '@grpc/proto-loader'
import cniDescriptor from './generated/cni.descriptor.ts'
import type { ProtoGrpcType as CniTypes } from './generated/cni.ts'
import inspectDescriptor from './generated/inspect.descriptor.ts'
import type { ProtoGrpcType as InspectTypes } from './generated/inspect.ts'
import repairDescriptor from './generated/repair.descriptor.ts'
import type { ProtoGrpcType as RepairTypes } from './generated/repair.ts'

/** Must agree with the options of the type generator in hack/generate-proto.ts. */
const LOAD_OPTIONS: Options = { longs: Number, enums: String, defaults: true, oneofs: true }

const cni = loadPackageDefinition(fromJSON(cniDescriptor, LOAD_OPTIONS)) as unknown as CniTypes
const inspect = loadPackageDefinition(fromJSON(inspectDescriptor, LOAD_OPTIONS)) as unknown as InspectTypes
const repair = loadPackageDefinition(fromJSON(repairDescriptor, LOAD_OPTIONS)) as unknown as RepairTypes

/** Client constructor; its `.service` is the definition for a server. */
export const Cni = cni.terway.cni.v1.Cni
export const Inspect = inspect.terway.inspect.v1.Inspect
export const Repair = repair.terway.repair.v1.Repair
