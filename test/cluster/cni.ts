/** Calls of the `terway` executable as a container runtime makes them, by the rules that libcni follows. */
import { join } from 'node:path'
import { z } from 'zod'
import { DIST } from './directory.ts'
import { execute } from './process.ts'

/** The packed executable. */
export const PLUGIN = join(DIST, 'terway')

export type CniVerb = 'ADD' | 'DEL' | 'CHECK' | 'STATUS' | 'GC' | 'VERSION'

/** The variables and keys that a runtime fills in for one call. */
export interface CniCall {
  readonly containerId: string
  /** CNI_NETNS, a path; empty as the runtime sends it once the namespace is gone. */
  readonly netns: string
  readonly ifname: string
  readonly namespace: string
  readonly pod: string
  /** More keys for the configuration: prevResult, runtimeConfig. */
  readonly extra?: Readonly<Record<string, unknown>>
  /** Sent instead of the configuration, as no runtime would. */
  readonly stdin?: string
  /** Resolves when the plugin is to be killed, as by a runtime whose own deadline is over. */
  readonly killed?: Promise<unknown>
  /** A program that starts the plugin, with its arguments: strace. */
  readonly under?: readonly string[]
}

const errorSchema = z.object({ code: z.number(), msg: z.string(), details: z.string().optional() })

const resultSchema = z.object({
  cniVersion: z.string(),
  interfaces: z.array(z.object({ name: z.string(), mac: z.string().optional(), sandbox: z.string().optional() })),
  ips: z.array(z.object({ address: z.string(), gateway: z.string().optional(), interface: z.number().optional() })),
})

export type CniErrorObject = z.infer<typeof errorSchema>
export type CniResult = z.infer<typeof resultSchema>

export interface CniAnswer {
  /** Exit status; null when a signal ended the plugin. */
  readonly status: number | null
  /** What ADD printed. */
  readonly result: CniResult | undefined
  readonly error: CniErrorObject | undefined
  readonly stdout: string
  readonly stderr: string
  /** ms from exec to exit. */
  readonly took: number
}

/** The list as it lies in the runtime's directory; a runtime reads no more of it. */
export const conflistSchema = z.object({
  cniVersion: z.string(),
  name: z.string(),
  plugins: z.array(z.looseObject({ type: z.string() })).nonempty(),
})

export interface RuntimeCall extends CniCall {
  readonly verb: CniVerb
  readonly conflist: z.infer<typeof conflistSchema>
  /** Path of the node's network namespace: the runtime runs there. */
  readonly nodeNetns: string
}

/** One exec of the plugin. An error of the plugin is an answer; only not being able to start it throws. */
export async function callPlugin(call: RuntimeCall): Promise<CniAnswer> {
  const { verb, conflist, nodeNetns } = call
  const [plugin] = conflist.plugins
  const config = { ...plugin, name: conflist.name, cniVersion: conflist.cniVersion, ...call.extra }
  const started = performance.now()
  const { status, stdout, stderr } = await execute(['nsenter', `--net=${nodeNetns}`, ...(call.under ?? []), PLUGIN], {
    env: cniEnvironment(call),
    stdin: call.stdin ?? JSON.stringify(config),
    timeout: 130_000,
    ...(call.killed === undefined ? {} : { killed: call.killed }),
  })
  const took = performance.now() - started
  const common = { status, stdout, stderr, took }
  if (status === 0)
    return { ...common, result: verb === 'ADD' ? resultSchema.parse(JSON.parse(stdout)) : undefined, error: undefined }
  return { ...common, result: undefined, error: stdout === '' ? undefined : errorSchema.parse(JSON.parse(stdout)) }
}

/** The whole environment of one call. */
export function cniEnvironment(call: CniCall & { readonly verb: CniVerb }): Record<string, string> {
  const { verb, containerId, netns, ifname, namespace, pod } = call
  const args = [
    'IgnoreUnknown=1',
    `K8S_POD_NAMESPACE=${namespace}`,
    `K8S_POD_NAME=${pod}`,
    `K8S_POD_INFRA_CONTAINER_ID=${containerId}`,
    `K8S_POD_UID=${namespace}-${pod}`,
  ]
  return {
    PATH: process.env.PATH ?? '',
    CNI_COMMAND: verb,
    CNI_CONTAINERID: containerId,
    CNI_NETNS: netns,
    CNI_IFNAME: ifname,
    CNI_ARGS: args.join(';'),
    CNI_PATH: join(PLUGIN, '..'),
  }
}
