import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals'
import { Inspect, Repair } from '../proto/contract.ts'
import type { HostInspection__Output as HostInspection } from '../proto/generated/terway/inspect/v1/HostInspection.ts'
import type { InspectPodRequest__Output as InspectPodRequest } from '../proto/generated/terway/inspect/v1/InspectPodRequest.ts'
import type { Node__Output as Node } from '../proto/generated/terway/inspect/v1/Node.ts'
import type { PlannedObject__Output as PlannedObject } from '../proto/generated/terway/inspect/v1/PlannedObject.ts'
import type { PodInspection__Output as PodInspection } from '../proto/generated/terway/inspect/v1/PodInspection.ts'
import type { VerifyReply__Output as VerifyReply } from '../proto/generated/terway/inspect/v1/VerifyReply.ts'
import type { GcReply__Output as GcReply } from '../proto/generated/terway/repair/v1/GcReply.ts'
import type { GcRequest__Output as GcRequest } from '../proto/generated/terway/repair/v1/GcRequest.ts'

jest.setTimeout(60_000)

const CLI = join(import.meta.dirname, '..', 'bin', 'terway-cli')
const NODE: Node = {
  name: 'node-1',
  instanceId: 'i-1',
  instanceType: 'ecs.g7.large',
  regionId: 'cn-hangzhou',
  zoneId: 'cn-hangzhou-h',
  vpcId: 'vpc-1',
  version: '0.1.0',
  startedAt: 1_700_000_000_000,
  now: 1_700_000_300_000,
  enis: [],
  pool: {
    ...{ total: 4, allocated: 2, available: 2, cooling: 0, capacity: 30, min: 0, max: 5, waiting: 0 },
    ...{ families: ['ipv4'], kind: 'shared', strategy: 'fixed', target: 2, warmEnis: 0 },
  },
  ...{ endpoints: [], problems: [], foreignEnis: [], events: [], conditions: [] },
}
const DIFFERENCE = {
  owner: 'c1 eth0',
  netns: 'host',
  object: 'rule',
  subject: '512: all',
  problem: 'missing',
  found: '',
}
const RULE: PlannedObject = { netns: 'host', object: 'rule', wanted: '512: all', found: '', state: 'same' }
const LIMIT = { rate: 1_250_000, burst: 0 }
const ENDPOINT = {
  ...{ containerId: 'c1', ifname: 'eth0', netns: '/run/netns/x', namespace: 'shop', pod: 'web', ips: ['10.0.1.7'] },
  ...{ eniId: 'eni-1', hostLink: 'cali1', phase: 'ready', since: 1_700_000_000_000, datapath: 'policy-route' },
  ...{ ingress: LIMIT, egress: null },
}
const POD: PodInspection = {
  now: 1_700_000_300_000,
  endpoints: [{ endpoint: ENDPOINT, eniLink: 'eth1', vlanId: 0, objects: [RULE], replacing: false }],
}
const HOST: HostInspection = {
  ...{ name: 'node-1', version: '0.1.0', kernel: '6.1.0', mode: 'shared', families: ['ipv4'], policyRoute: 'map' },
  ...{ serviceCidrs: [], podCidrs: [], primaryLink: 'eth0', addresses: ['10.0.0.1'], settings: [], tables: [] },
  ...{ features: [{ name: 'veth', present: true }], pods: 1, marks: 1, rules: 4 },
  plans: [{ owner: 'node', link: '', objects: [RULE] }],
}

const GC_REPLY: GcReply = {
  findings: [
    {
      ...{ kind: 'released', level: 'info', eni: 'eni-9', address: '10.0.1.7', pod: '', outcome: 'done' },
      why: 'removing an ENI left behind by this node',
    },
  ],
  ...{ enis: 2, addresses: 20, pods: 7 },
}

let root: string
let socket: string
let server: Server
let node: Node
let reply: VerifyReply
let requests: GcRequest[]
let pod: PodInspection
let podRequests: InspectPodRequest[]
let podError: Pick<ServiceError, 'code' | 'details'> | undefined
let host: HostInspection
let gcError: Pick<ServiceError, 'code' | 'details'> | undefined

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'tw-cli-'))
})
afterAll(() => rmSync(root, { recursive: true }))
beforeEach(async () => {
  socket = join(mkdtempSync(join(root, 'case-')), 's')
  node = NODE
  reply = { differences: [], plans: 3 }
  requests = []
  pod = POD
  podRequests = []
  podError = undefined
  host = HOST
  gcError = undefined
  server = new Server()
  server.addService(Inspect.service, {
    Show: (_call: unknown, done: sendUnaryData<Node>) => done(null, node),
    Verify: (_call: unknown, done: sendUnaryData<VerifyReply>) => done(null, reply),
    InspectPod: (call: ServerUnaryCall<InspectPodRequest, PodInspection>, done: sendUnaryData<PodInspection>) => {
      podRequests.push(call.request)
      if (podError === undefined) done(null, pod)
      else done(podError)
    },
    InspectHost: (_call: unknown, done: sendUnaryData<HostInspection>) => done(null, host),
  })
  server.addService(Repair.service, {
    Gc: (call: ServerUnaryCall<GcRequest, GcReply>, done: sendUnaryData<GcReply>) => {
      requests.push(call.request)
      if (gcError === undefined) done(null, GC_REPLY)
      else done(gcError)
    },
  })
  await new Promise<void>((resolve, reject) => {
    const credentials = ServerCredentials.createInsecure()
    server.bindAsync(`unix:${socket}`, credentials, (error) => (error === null ? resolve() : reject(error)))
  })
})
afterEach(() => server.forceShutdown())

interface Ended {
  readonly status: unknown
  readonly stdout: string
  readonly stderr: string
}

function cliWith(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(CLI, args, { env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : error.code, stdout, stderr }),
    )
  })
}

const cli = (...args: string[]): Promise<Ended> => cliWith({ COLUMNS: '' }, ...args)

test('show: tree by default, box and JSON on demand, no colours into a pipe', async () => {
  const tree = 'Node: node-1\nIP Pool: 4 total, 2 allocated, 2 available; capacity 30\n'
  expect(await cli('show', '--socket', socket)).toEqual({ status: 0, stdout: tree, stderr: '' })
  expect((await cli('show', '-o', 'box', '--socket', socket)).stdout).toMatch(/^┌─+┐\n│ Node: node-1 +│\n/)
  expect(JSON.parse((await cli('show', '--json', '--socket', socket)).stdout)).toEqual(NODE)
})

test('verify: status 0 when the kernel matches, 1 when it differs', async () => {
  expect(await cli('verify', '--socket', socket)).toEqual({ status: 0, stdout: 'kernel matches 3 plans\n', stderr: '' })
  reply = { differences: [DIFFERENCE], plans: 3 }
  const differing = await cli('verify', '--socket', socket)
  expect(differing).toMatchObject({ status: 1, stderr: '' })
  expect(differing.stdout).toContain('c1 eth0  host   rule    512: all  missing  -\n')
  const json = await cli('verify', '--json', '--socket', socket)
  expect({ status: json.status, message: JSON.parse(json.stdout) }).toEqual({ status: 1, message: reply })
})

test('inspect pod: asks for the pod that was named, plan beside kernel, JSON on demand', async () => {
  const { status: code, stdout, stderr } = await cli('inspect', 'pod', 'shop/web', '--socket', socket)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toBe(`\
Interface: shop/web eth0 (ready since 5m)
  Container: c1
  Network namespace: /run/netns/x
  Datapath: policy-route
  Addresses: 10.0.1.7
  ENI: eni-1 (eth1)
  Link on the node: cali1
  Bandwidth: ingress 10 Mbit/s
   NETNS  OBJECT  PLAN      KERNEL
✓  host   rule    512: all  same
kernel is as planned; objects: 1
`)
  const json = await cli('inspect', 'pod', 'web', '--container', 'c1', '--json', '--socket', socket)
  expect(JSON.parse(json.stdout)).toEqual(POD)
  expect(podRequests).toEqual([
    { namespace: 'shop', pod: 'web', containerId: '' },
    { namespace: 'default', pod: 'web', containerId: 'c1' },
  ])
})

test('inspect: status 1 when something differs, in either form; a narrow terminal loses nothing of it', async () => {
  const objects = [RULE, { ...RULE, netns: 'pod', wanted: '513: all', state: 'missing' }]
  pod = { ...POD, endpoints: POD.endpoints.map((one) => ({ ...one, objects })) }
  host = { ...HOST, plans: [{ owner: 'node', link: '', objects }] }
  const common = ['--only-problems', '--socket', socket]
  for (const what of [['pod', 'web'], ['host']]) {
    expect(await cli('inspect', ...what, '--json', ...common)).toMatchObject({ status: 1, stderr: '' })
    const { status: code, stdout } = await cliWith({ COLUMNS: '30' }, 'inspect', ...what, ...common)
    expect(code).toBe(1)
    expect(stdout).toContain('✗ pod rule\n    plan    513: all\n    kernel  missing\nkernel differs in 1 of 2 objects')
    expect(stdout).not.toContain('512')
  }
})

test('inspect: colours where they are asked for', async () => {
  const { stdout } = await cliWith({ FORCE_COLOR: '1', NO_COLOR: undefined }, 'inspect', 'host', '--socket', socket)
  expect(stdout).toContain('\u001b[32m✓\u001b[39m  host')
})

test('inspect pod of one that is not here: status 2, and what the daemon says', async () => {
  podError = { code: status.NOT_FOUND, details: 'pod default/web has no interface; kubectl get pod -o wide' }
  const ended = await cli('inspect', 'pod', 'web', '--socket', socket)
  expect(ended).toEqual({ status: 2, stdout: '', stderr: `terway-cli: ${podError.details}\n` })
})

test.each(['a/b/c', '/web', 'shop/', 'Web', 'a b', ''])(
  'inspect pod %j: status 2, and how to write it',
  async (name) => {
    const { status: code, stdout, stderr } = await cli('inspect', 'pod', name, '--socket', socket)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('Write NAMESPACE/NAME, or NAME for a pod of the namespace default')
    expect(podRequests).toEqual([])
  },
)

test('gc: asks for what was said, prints what was done, status 0', async () => {
  expect(await cli('gc', '--socket', socket)).toEqual({
    status: 0,
    stdout: `\
OUTCOME  WHAT      ENI    ADDRESS   WHY
done     released  eni-9  10.0.1.7  removing an ENI left behind by this node
ENIs: 2, addresses: 20, pods: 7; 1 done
`,
    stderr: '',
  })
  expect(JSON.parse((await cli('gc', '--json', '--dry-run', '--force', '--socket', socket)).stdout)).toEqual(GC_REPLY)
  expect(requests).toEqual([
    { dryRun: false, force: false },
    { dryRun: true, force: true },
  ])
})

test('gc that the daemon cannot do: status 2 and its reason', async () => {
  gcError = { code: status.FAILED_PRECONDITION, details: 'DescribeNetworkInterfaces failed with Timeout: …; check DNS' }
  expect(await cli('gc', '--socket', socket)).toEqual({
    status: 2,
    stdout: '',
    stderr: `terway-cli: terwayd could not do it: ${gcError.details}\n`,
  })
})

test('a daemon that takes longer is still at work, and nobody is told to start it', async () => {
  gcError = { code: status.DEADLINE_EXCEEDED, details: 'Deadline exceeded' }
  const { status: code, stdout, stderr } = await cli('gc', '--socket', socket)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain('has not answered within 300 s: it is still at work')
  expect(stderr).not.toContain('Is it running')
})

test('show: how long ago something was is counted by the clock of the daemon, not of this machine', async () => {
  const problem = { type: 'SufficientIP', status: 'False', reason: 'InsufficientIP', message: 'all in use' }
  node = { ...NODE, conditions: [{ ...problem, since: NODE.now - 300_000 }] }
  expect((await cli('show', '--socket', socket)).stdout).toContain('SufficientIP is False since 5m (InsufficientIP)')
})

test('a daemon of another version: status 2, and which terway-cli to use', async () => {
  gcError = { code: status.UNIMPLEMENTED, details: '' }
  const { status: code, stderr } = await cli('gc', '--socket', socket)
  expect(code).toBe(2)
  expect(stderr).toContain('use the terway-cli of its own image')
})

test.each(['show', 'verify', 'gc', 'inspect host', 'inspect pod web'])(
  '%s without a daemon: what to do',
  async (line) => {
    const { status, stdout, stderr } = await cli(...line.split(' '), '--socket', join(root, 'none'))
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(`gives no answer on ${join(root, 'none')}: connect ENOENT`)
    expect(stderr).toContain('Is it running on this node?')
  },
)

test('the command line is explained; a wrong one is status 2', async () => {
  expect(await cli('--help')).toMatchObject({ status: 0, stdout: expect.stringMatching(/verify.*inspect.*gc/s) })
  expect((await cli('inspect', 'pod', '--help')).stdout).toMatch(/\[namespace\/\]name.*--container.*--only-problems/s)
  expect(await cli('--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  for (const args of [
    [],
    ['frob'],
    ['show', '-o', 'svg'],
    ['show', 'extra'],
    ['gc', '--now'],
    ['inspect'],
    ['inspect', 'pod'],
  ]) {
    expect(await cli(...args)).toMatchObject({ status: 2, stdout: '' })
  }
})
