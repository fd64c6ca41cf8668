/** The daemon of this node, asked over its socket. */
import {
  type ChannelCredentials,
  type Client,
  credentials,
  type requestCallback,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { connectError } from '../proto/connect-error.ts'
import { Inspect, Repair } from '../proto/contract.ts'
import type { HostInspection__Output as HostInspection } from '../proto/generated/terway/inspect/v1/HostInspection.ts'
import type { InspectPodRequest } from '../proto/generated/terway/inspect/v1/InspectPodRequest.ts'
import type { Node__Output as Node } from '../proto/generated/terway/inspect/v1/Node.ts'
import type { PodInspection__Output as PodInspection } from '../proto/generated/terway/inspect/v1/PodInspection.ts'
import type { VerifyReply__Output as VerifyReply } from '../proto/generated/terway/inspect/v1/VerifyReply.ts'
import type { GcReply__Output as GcReply } from '../proto/generated/terway/repair/v1/GcReply.ts'
import type { GcRequest } from '../proto/generated/terway/repair/v1/GcRequest.ts'

/** ms; comparing every plan of a full node with the kernel takes well under one second. */
const TIMEOUT = 30_000
/** ms; it waits for a round under way, then asks the cloud twice, each question up to a minute for its turn. */
const GC_TIMEOUT = 300_000

/** The daemon gave no answer, or could not do what it was asked to. */
export class DaemonError extends Error {
  override readonly name = 'DaemonError'
}

function errorOf(socket: string, timeout: number, cause: ServiceError): DaemonError {
  switch (cause.code) {
    case status.DEADLINE_EXCEEDED:
      return new DaemonError(
        `terwayd on ${socket} has not answered within ${timeout / 1000} s: it is still at work.\n` +
          'Ask again later; its log tells what it waits for: kubectl -n kube-system logs, of its pod on this node.',
        { cause },
      )
    case status.FAILED_PRECONDITION:
    case status.INTERNAL:
      return new DaemonError(`terwayd could not do it: ${cause.details}`, { cause })
    case status.NOT_FOUND:
      return new DaemonError(cause.details, { cause })
    case status.UNIMPLEMENTED:
      return new DaemonError(
        `terwayd on ${socket} is of another version than this terway-cli and does not know what it was asked;\n` +
          'use the terway-cli of its own image',
        { cause },
      )
    default:
      return new DaemonError(
        `terwayd gives no answer on ${socket}: ${connectError(cause.details)}\n` +
          'Is it running on this node? kubectl -n kube-system get pods -l app=terway -o wide shows its pod;\n' +
          'terway-cli must run in that pod or as root on the node, and --socket must name the socket of terwayd.',
        { cause },
      )
  }
}

interface Question<Service extends Client, Reply> {
  readonly service: new (address: string, credentials: ChannelCredentials) => Service
  readonly timeout: number
  readonly call: (client: Service, options: { readonly deadline: number }, done: requestCallback<Reply>) => void
}

async function ask<Service extends Client, Reply>(socket: string, question: Question<Service, Reply>): Promise<Reply> {
  const { service: ServiceClient, timeout, call } = question
  const client = new ServiceClient(`unix:${socket}`, credentials.createInsecure())
  try {
    return await new Promise((resolve, reject) => {
      call(client, { deadline: Date.now() + timeout }, (error, reply) => {
        if (reply !== undefined) resolve(reply)
        else
          reject(error === null ? new Error('gRPC call ended without reply or error') : errorOf(socket, timeout, error))
      })
    })
  } finally {
    client.close()
  }
}

/** @throws DaemonError */
export function show(socket: string): Promise<Node> {
  return ask(socket, {
    service: Inspect,
    timeout: TIMEOUT,
    call: (client, options, done) => client.Show({}, options, done),
  })
}

/** @throws DaemonError */
export function verify(socket: string): Promise<VerifyReply> {
  return ask(socket, {
    service: Inspect,
    timeout: TIMEOUT,
    call: (client, options, done) => client.Verify({}, options, done),
  })
}

/** @throws DaemonError */
export function inspectPod(socket: string, request: InspectPodRequest): Promise<PodInspection> {
  return ask(socket, {
    service: Inspect,
    timeout: TIMEOUT,
    call: (client, options, done) => client.InspectPod(request, options, done),
  })
}

/** @throws DaemonError */
export function inspectHost(socket: string): Promise<HostInspection> {
  return ask(socket, {
    service: Inspect,
    timeout: TIMEOUT,
    call: (client, options, done) => client.InspectHost({}, options, done),
  })
}

/** @throws DaemonError */
export function gc(socket: string, request: GcRequest): Promise<GcReply> {
  return ask(socket, {
    service: Repair,
    timeout: GC_TIMEOUT,
    call: (client, options, done) => client.Gc(request, options, done),
  })
}
