/** What no well-behaved runtime sends, and what every runtime sends sooner or later, through plugin and daemon. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Cluster } from '../cluster/cluster.ts'
import { netnsPath } from '../cluster/directory.ts'
import type { Node } from '../cluster/node.ts'
import { ping } from '../cluster/ping.ts'
import { Pod } from '../cluster/pod.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import { E2E_PREFIX, gone, startCluster } from './testbed.ts'

describe('calls of the plugin', () => {
  let cluster: Cluster
  let node: Node
  let pods: Pod[] = []

  beforeAll(async () => {
    cluster = await startCluster()
    node = cluster.node('node-a')
  })

  afterEach(async () => {
    for (const pod of pods) {
      await pod.del()
      await pod.destroy()
    }
    pods = []
    await gone(node, [])
    await assertConsistent(cluster)
  })

  afterAll(async () => {
    await cluster?.stop()
  })

  async function create(name: string): Promise<Pod> {
    const pod = await cluster.createPod(node, name)
    pods.push(pod)
    return pod
  }

  const nodeAnswers = async (pod: Pod) => {
    expect(await ping({ from: pod.netnsPath, to: node.primaryIp })).toMatchObject({ lost: 0 })
  }

  describe('ADD', () => {
    test('a second time is refused, and the first goes on', async () => {
      const pod = await create('twice')
      await pod.add()
      const answer = await node.cni('ADD', pod.call)
      expect(answer).toMatchObject({
        status: 1,
        error: { code: 101, msg: expect.stringMatching(/^endpoint-exists: .*already has eth0/) },
      })
      await nodeAnswers(pod)
    })

    test('of one container with two interface names gives it two interfaces', async () => {
      const pod = await create('two-interfaces')
      await pod.add()
      const { result } = await node.cni('ADD', { ...pod.call, ifname: 'net1' })
      const second = result?.ips[0]?.address.replace(/\/.*/, '') ?? ''
      expect(second).not.toBe(pod.ip)
      await nodeAnswers(pod)
      expect(await ping({ from: node.netnsPath, to: second })).toMatchObject({ lost: 0 })

      expect(await node.cni('DEL', { ...pod.call, ifname: 'net1' })).toMatchObject({ status: 0 })
      await nodeAnswers(pod)
    })

    test('for a pod that still has an older sandbox replaces it, and the late DEL of that changes nothing', async () => {
      const older = await create('reborn')
      await older.add()
      const newer = await create('reborn')
      await newer.add()
      await nodeAnswers(newer)
      await older.del()
      await nodeAnswers(newer)
      expect((await node.show()).endpoints.map(({ containerId }) => containerId)).toEqual([newer.containerId])
    })

    test('for a namespace that has vanished says so and leaves nothing', async () => {
      const pod = await create('vanished')
      const call = { ...pod.call, netns: netnsPath(`${E2E_PREFIX}-pod-gone`) }
      expect(await node.cni('ADD', call)).toMatchObject({
        status: 1,
        error: { code: 3, msg: expect.stringMatching(/^netns-vanished: /) },
      })
    })

    test("for the node's own namespace is refused", async () => {
      const pod = await create('host')
      expect(await node.cni('ADD', { ...pod.call, netns: node.netnsPath })).toMatchObject({
        status: 1,
        error: { code: 8 },
      })
    })

    test('for a file that is no namespace is refused', async () => {
      const pod = await create('no-namespace')
      expect(await node.cni('ADD', { ...pod.call, netns: '/etc/passwd' })).toMatchObject({
        status: 1,
        error: { code: 4 },
      })
    })
  })

  describe('DEL', () => {
    test('before ADD succeeds', async () => {
      const pod = await create('never-added')
      expect(await node.cni('DEL', pod.call)).toMatchObject({ status: 0, stdout: '' })
    })

    test('a second time succeeds', async () => {
      const pod = await create('deleted-twice')
      await pod.add()
      expect(await node.cni('DEL', pod.call)).toMatchObject({ status: 0, stdout: '' })
      expect(await node.cni('DEL', pod.call)).toMatchObject({ status: 0, stdout: '' })
    })

    test('without a namespace removes the pod', async () => {
      const pod = await create('no-netns')
      await pod.add()
      expect(await node.cni('DEL', { ...pod.call, netns: '' })).toMatchObject({ status: 0, stdout: '' })
      await gone(node, [pod.ip])
    })

    test('after the namespace has vanished removes the pod', async () => {
      const pod = await Pod.create({ prefix: E2E_PREFIX, name: 'lost-netns', node })
      await pod.add()
      await pod.destroy()
      expect(await node.cni('DEL', pod.call)).toMatchObject({ status: 0, stdout: '' })
      await gone(node, [pod.ip])
    })

    test('while the daemon is away is kept for it and carried out when it is back', async () => {
      const pod = await create('spooled')
      await pod.add()
      await node.killDaemon('SIGKILL')
      expect(await node.cni('DEL', pod.call)).toMatchObject({ status: 0, stdout: '' })
      expect(await node.cni('ADD', pod.call)).toMatchObject({
        status: 1,
        error: {
          code: 11,
          msg: expect.stringMatching(/^daemon-unreachable: /),
          details: expect.stringMatching(/terwayd/),
        },
      })
      node.startDaemon()
      await node.waitReady()
      await gone(node, [pod.ip])
    })
  })

  describe('hostile values', () => {
    const values = [
      ['a container id that climbs', { containerId: '../../etc/passwd' }, /CNI_CONTAINERID/],
      ['a container id of 300 characters', { containerId: 'a'.repeat(300) }, /CNI_CONTAINERID.*300/],
      ['a container id with a space', { containerId: 'a b' }, /CNI_CONTAINERID/],
      ['no container id', { containerId: '' }, /CNI_CONTAINERID/],
      ['an interface name that climbs', { ifname: '../eth0' }, /CNI_IFNAME/],
      ['an interface name of 300 characters', { ifname: 'e'.repeat(300) }, /CNI_IFNAME/],
      ['an interface name with a space', { ifname: 'eth 0' }, /CNI_IFNAME/],
      ['no interface name', { ifname: '' }, /CNI_IFNAME/],
      ['a namespace path that climbs', { netns: '/run/netns/../../etc/passwd' }, /CNI_NETNS/],
      ['a relative namespace path', { netns: 'run/netns/x' }, /CNI_NETNS/],
      ['a namespace path with a space', { netns: '/run/net ns' }, /CNI_NETNS/],
      ['a namespace name of 300 characters', { netns: `/run/netns/${'n'.repeat(300)}` }, /CNI_NETNS/],
    ] as const

    test.each(values)('%s is refused by ADD, which names the variable', async (_, hostile, message) => {
      const pod = await create('hostile')
      const answer = await node.cni('ADD', { ...pod.call, ...hostile })
      expect(answer).toMatchObject({ status: 1, error: { code: 4, msg: expect.stringMatching(message) } })
    })

    test.each([
      ['nothing', ''],
      ['what is not JSON', '{"name":'],
    ])('%s as the configuration is refused', async (_, stdin) => {
      const pod = await create('malformed')
      expect(await node.cni('ADD', { ...pod.call, stdin })).toMatchObject({ status: 1, error: { code: 6 } })
    })

    test.each([
      ['a number for the name', { name: 5 }, 7, /name/],
      ['a list for the MTU', { mtu: [] }, 7, /mtu/],
      ['an unknown version', { cniVersion: '9.9.9' }, 1, /9\.9\.9/],
    ])('%s in the configuration is refused, and the message names it', async (_, extra, code, message) => {
      const pod = await create('wrong')
      const answer = await node.cni('ADD', { ...pod.call, extra })
      expect(answer).toMatchObject({ status: 1, error: { code, msg: expect.stringMatching(message) } })
    })
  })
})
