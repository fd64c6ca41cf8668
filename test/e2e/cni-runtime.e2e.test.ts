/** What a real containerd makes of the conflist: port mappings by `portmap`, annotations, limits, and its changes. */
import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { bandwidthOf, priorityOf } from '../../daemon/cni/bandwidth.ts'
import { parseNetConf } from '../../daemon/cni/netconf.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { PLUGIN } from '../cluster/cni.ts'
import type { Node } from '../cluster/node.ts'
import { check, until } from '../cluster/process.ts'
import { askTcp, startTcpServer } from '../cluster/tcp.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import { Containerd } from './containerd.ts'
import type { Sandbox } from './cri.ts'
import { makePauseImage } from './pause-image.ts'
import { gone, startCluster } from './testbed.ts'

/** A suite of its own may run beside the others. */
const PREFIX = 'tw-e2e-rt'
const PORTMAP = '/usr/lib/cni/portmap'
const PORTS = { containerPort: 8080, hostPort: 30080 }

let cluster: Cluster
let node: Node
let runtime: Containerd
let conflist: string

beforeAll(async () => {
  cluster = await startCluster({ prefix: PREFIX })
  node = cluster.node('node-a')
  conflist = join(node.cniConfDir, '10-terway.conflist')
  symlinkSync(PORTMAP, join(node.cniBinDir, basename(PORTMAP)))
  await restartDaemon()
  runtime = new Containerd({
    ...{ directory: join(node.directory, 'containerd'), netns: node.netnsPath, cniConfDir: node.cniConfDir },
    pauseImage: await makePauseImage(join(cluster.directory, 'pause')),
    plugins: [writeSpy(), PORTMAP],
  })
  await runtime.start()
})

afterEach(async () => {
  for (const { id } of await runtime.cri.list()) {
    await runtime.cri.stop(id)
    await runtime.cri.remove(id)
  }
  await gone(node, [])
  await assertConsistent(cluster)
})

afterAll(async () => {
  await runtime?.stop()
  await cluster?.stop()
})

async function restartDaemon(): Promise<void> {
  await node.killDaemon('SIGTERM')
  node.startDaemon()
  await node.waitReady()
}

/** The plugin, behind a script that keeps what the runtime gives it. */
function writeSpy(): string {
  const spy = join(node.directory, basename(PLUGIN))
  const kept = join(node.directory, '$CNI_COMMAND-$CNI_CONTAINERID')
  writeFileSync(spy, `#!/bin/sh\ntee "${kept}" | '${PLUGIN}'\n`, { mode: 0o755 })
  return spy
}

/** The configuration that the plugin has got with the ADD of the sandbox. */
const configOf = ({ id }: Sandbox) => readFileSync(join(node.directory, `ADD-${id}`))

/** Rules and chains for port mappings on the node. */
async function portRules(): Promise<string[]> {
  const all = await check(['nsenter', `--net=${node.netnsPath}`, 'iptables-save', '-t', 'nat'])
  return all.split('\n').filter((line) => line.includes('CNI-DN-') || line.includes(`${PORTS.hostPort}`))
}

describe('a sandbox with a hostPort', () => {
  test('is reached at the address of its node, until it is stopped', async () => {
    const sandbox = await runtime.cri.run({ name: 'web', portMappings: [PORTS] })
    const { netns, ip: client } = await runtime.cri.run({ name: 'client' })
    const logFile = join(node.directory, 'tcp.log')
    const server = await startTcpServer({ netns: sandbox.netns, port: PORTS.containerPort, logFile })
    const ask = (from: string, to: string) => askTcp({ from, to, port: PORTS.hostPort })
    try {
      expect(await ask(netns, node.primaryIp)).toBe(client)
      // The node itself, by both of its addresses, and the pod by its own hostPort.
      expect(await ask(node.netnsPath, node.primaryIp)).toBe(node.primaryIp)
      expect(await ask(node.netnsPath, '127.0.0.1')).toBe(node.primaryIp)
      expect(await ask(sandbox.netns, node.primaryIp)).toBe(node.primaryIp)
      // Another machine: the reply must not leave by the pod's ENI.
      const other = cluster.node('node-b')
      expect(await ask(other.netnsPath, node.primaryIp)).toBe(other.primaryIp)
    } finally {
      await server.stop()
    }
    expect(await portRules()).not.toEqual([])
    await runtime.cri.stop(sandbox.id)
    expect(await portRules()).toEqual([])
    expect(await ask(netns, node.primaryIp)).toBeUndefined()
    await runtime.cri.stop(sandbox.id)
  })

  test('has our result at the end of the chain', async () => {
    const { id, ip, netns } = await runtime.cri.run({ name: 'web', portMappings: [PORTS] })
    // What libcni keeps of the whole chain for DEL.
    const { result } = JSON.parse(readFileSync(`/var/lib/cni/results/terway-${id}-eth0`, 'utf8'))
    expect(result).toMatchObject({
      cniVersion: '1.0.0',
      interfaces: [{ name: expect.stringMatching(/^cali[0-9a-f]{11}$/) }, { name: 'eth0', sandbox: netns }],
      ips: [{ address: `${ip}/32`, interface: 1 }],
      routes: [{ dst: '0.0.0.0/0' }],
    })
  })
})

test('the annotations of the pod and its limits reach the plugin', async () => {
  const annotations = {
    'kubernetes.io/ingress-bandwidth': '80M',
    'k8s.aliyun.com/egress-bandwidth': '2M',
    'k8s.aliyun.com/network-priority': 'guaranteed',
    'Example.com/CamelCase': 'kept',
  }
  const conf = parseNetConf(configOf(await runtime.cri.run({ name: 'annotated', annotations })), 'ADD')
  expect(conf.annotations).toMatchObject(annotations)
  expect(bandwidthOf(conf)).toEqual({
    limits: { ingress: { rate: 10_000_000 }, egress: { rate: 2 * 1024 ** 2 } },
    warnings: [],
  })
  expect(priorityOf({ ...conf, networkPriority: true })).toBe('guaranteed')
})

describe('the conflist', () => {
  const mtuOf = async (name: string) => parseNetConf(configOf(await runtime.cri.run({ name })), 'ADD').mtu

  /** Starts the daemon with these keys of the operator. */
  async function configure(keys: object): Promise<void> {
    writeFileSync(node.cniConfTemplate, JSON.stringify({ type: 'terway', ...keys }))
    await restartDaemon()
  }

  test('that the daemon changes by a rename within its directory is what the next sandbox gets', async () => {
    await configure({ mtu: 1400 })
    let attempt = 0
    // The runtime notices in its own time.
    const look = async () => {
      attempt += 1
      return (await mtuOf(`after-${attempt}`)) === 1400 ? true : undefined
    }
    await until(look, { what: 'containerd to read the new conflist' })
  })

  test('is not renamed in from another directory, for that containerd would not notice', async () => {
    await configure({ mtu: 1300 })
    await until(async () => ((await mtuOf('before')) === 1300 ? true : undefined), { what: 'containerd to read it' })
    const elsewhere = join(node.directory, 'elsewhere.conflist')
    writeFileSync(elsewhere, readFileSync(conflist, 'utf8').replace('1300', '1200'))
    renameSync(elsewhere, conflist)
    for (const name of ['moved-1', 'moved-2', 'moved-3']) expect(await mtuOf(name)).toBe(1300)
  })

  test('may be rewritten at any time while sandboxes start', async () => {
    await configure({})
    const [content, scratch] = [readFileSync(conflist, 'utf8'), `${conflist}.new`]
    let done = false
    const rewriting = (async () => {
      for (let i = 0; !done; i += 1) {
        writeFileSync(scratch, content.replace('"terway",', `"terway", "mtu": ${1400 + (i % 2)},`))
        renameSync(scratch, conflist)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    })()
    const names = Array.from({ length: 8 }, (_, i) => `meanwhile-${i}`)
    const settled = await Promise.allSettled(names.map((name) => runtime.cri.run({ name })))
    done = true
    await rewriting
    rmSync(node.cniConfTemplate)
    expect(settled.filter(({ status }) => status === 'rejected')).toEqual([])
  })
})
