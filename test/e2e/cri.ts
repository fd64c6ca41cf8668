/** Drives a container runtime as the kubelet does: sandboxes up, down, removed, looked at. */
import { join } from 'node:path'
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader'
import { z } from 'zod'

/** The kubelet's limits are 4 minutes for a start and 2 for a stop; a test wants to know earlier. ms */
const TIMEOUT = 60_000

export interface SandboxRequest {
  readonly name: string
  readonly namespace?: string
  /** Tells apart the sandboxes that one pod has had. */
  readonly attempt?: number
  readonly annotations?: Readonly<Record<string, string>>
  readonly portMappings?: readonly PortMapping[]
}

export interface PortMapping {
  readonly containerPort: number
  readonly hostPort: number
}

export interface Sandbox {
  readonly id: string
  readonly name: string
  readonly ip: string
  /** Path of its network namespace. */
  readonly netns: string
}

const runReply = z.object({ pod_sandbox_id: z.string() })
const sandboxState = z.enum(['SANDBOX_READY', 'SANDBOX_NOTREADY'])
const metadata = z.object({ name: z.string() })

const statusReply = z.object({
  status: z.object({ id: z.string(), metadata, state: sandboxState, network: z.object({ ip: z.string() }) }),
  info: z.object({ info: z.string() }),
})
/** What containerd puts into the verbose answer; the namespaces are those of its OCI bundle. */
const verboseInfo = z.object({
  runtimeSpec: z.object({
    linux: z.object({ namespaces: z.array(z.object({ type: z.string(), path: z.string().default('') })) }),
  }),
})
const listReply = z.object({ items: z.array(z.object({ id: z.string(), metadata, state: sandboxState })) })
const runtimeReply = z.object({
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.boolean(), message: z.string() })) }),
})

function runtimeService(): ServiceDefinition {
  const options = { keepCase: true, longs: Number, enums: String, defaults: true }
  const service = loadSync(join(import.meta.dirname, 'cri.proto'), options)['runtime.v1.RuntimeService']
  if (service === undefined || 'format' in service) throw new TypeError('cri.proto defines no RuntimeService')
  return service
}

export class Cri {
  readonly #client: Client
  readonly #service = runtimeService()

  constructor(socket: string) {
    this.#client = new Client(`unix://${socket}`, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
  }

  close(): void {
    this.#client.close()
  }

  /** Why the runtime's network is not ready; undefined when it is. Rejects while the runtime does not answer. */
  async networkProblem(): Promise<string | undefined> {
    const { status } = runtimeReply.parse(await this.#call('Status', {}))
    const condition = status.conditions.find(({ type }) => type === 'NetworkReady')
    return condition?.status ? undefined : (condition?.message ?? 'the runtime says nothing about its network')
  }

  /** Starts a sandbox and hands back what a look at it says. */
  async run(request: SandboxRequest): Promise<Sandbox> {
    const { name, namespace = 'default', attempt = 0, annotations = {}, portMappings = [] } = request
    const config = {
      metadata: { name, uid: `${namespace}-${name}`, namespace, attempt },
      hostname: name,
      annotations,
      port_mappings: portMappings.map(({ containerPort, hostPort }) => ({
        ...{ protocol: 'TCP', container_port: containerPort, host_port: hostPort },
      })),
      linux: {},
    }
    const { pod_sandbox_id: id } = runReply.parse(await this.#call('RunPodSandbox', { config }))
    return await this.status(id)
  }

  async status(id: string): Promise<Sandbox> {
    const reply = await this.#call('PodSandboxStatus', { pod_sandbox_id: id, verbose: true })
    const { status, info } = statusReply.parse(reply)
    const { runtimeSpec } = verboseInfo.parse(JSON.parse(info.info))
    const netns = runtimeSpec.linux.namespaces.find(({ type }) => type === 'network')?.path ?? ''
    return { id, name: status.metadata.name, ip: status.network.ip, netns }
  }

  async list(): Promise<readonly { readonly id: string; readonly ready: boolean }[]> {
    const { items } = listReply.parse(await this.#call('ListPodSandbox', {}))
    return items.map(({ id, state }) => ({ id, ready: state === 'SANDBOX_READY' }))
  }

  async stop(id: string): Promise<void> {
    await this.#call('StopPodSandbox', { pod_sandbox_id: id })
  }

  async remove(id: string): Promise<void> {
    await this.#call('RemovePodSandbox', { pod_sandbox_id: id })
  }

  #call(name: string, request: object): Promise<object> {
    const method = this.#service[name]
    if (method === undefined) throw new TypeError(`cri.proto has no ${name}`)
    const { path, requestSerialize, responseDeserialize } = method
    const deadline = Date.now() + TIMEOUT
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        ...([path, requestSerialize, responseDeserialize, request, new Metadata(), { deadline }] as const),
        (error, reply) => {
          if (error !== null) reject(error)
          else resolve(reply ?? {})
        },
      )
    })
  }
}
