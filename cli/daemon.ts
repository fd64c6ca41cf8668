/** The daemon of this node, asked over its socket. */
import { credentials, type requestCallback, type ServiceError } from '@grpc/grpc-js'
import { connectError } from '../proto/connect-error.ts'
import { Inspect } from '../proto/contract.ts'
import type { InspectClient } from '../proto/generated/terway/inspect/v1/Inspect.ts'
import type { Node__Output as Node } from '../proto/generated/terway/inspect/v1/Node.ts'
import type { VerifyReply__Output as VerifyReply } from '../proto/generated/terway/inspect/v1/VerifyReply.ts'

/** ms; comparing every plan of a full node with the kernel takes well under one second. */
const TIMEOUT = 30_000

/** The daemon gave no answer. */
export class DaemonError extends Error {
  override readonly name = 'DaemonError'

  constructor(socket: string, cause: ServiceError) {
    super(
      `terwayd gives no answer on ${socket}: ${connectError(cause.details)}\n` +
        'Is it running on this node? kubectl -n kube-system get pods -l app=terway -o wide shows its pod;\n' +
        'terway-cli must run in that pod or as root on the node, and --socket must name the socket of terwayd.',
      { cause },
    )
  }
}

type Ask<Reply> = (client: InspectClient, deadline: number, done: requestCallback<Reply>) => void

async function ask<Reply>(socket: string, call: Ask<Reply>): Promise<Reply> {
  const client = new Inspect(`unix:${socket}`, credentials.createInsecure())
  try {
    return await new Promise((resolve, reject) => {
      call(client, Date.now() + TIMEOUT, (error, reply) => {
        if (reply !== undefined) resolve(reply)
        else
          reject(error === null ? new Error('gRPC call ended without reply or error') : new DaemonError(socket, error))
      })
    })
  } finally {
    client.close()
  }
}

/** @throws DaemonError */
export function show(socket: string): Promise<Node> {
  return ask<Node>(socket, (client, deadline, done) => client.Show({}, { deadline }, done))
}

/** @throws DaemonError */
export function verify(socket: string): Promise<VerifyReply> {
  return ask<VerifyReply>(socket, (client, deadline, done) => client.Verify({}, { deadline }, done))
}
