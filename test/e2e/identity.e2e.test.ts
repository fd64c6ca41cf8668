/** Daemons that have no key: they are what the RAM role of their instance makes them, and its keys are short-lived. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import type { Cluster } from '../cluster/cluster.ts'
import { assertConsistent } from '../consistency/assert-consistent.ts'
import { regionText } from '../simulator/region.ts'
import { startCluster } from './testbed.ts'

const PREFIX = 'tw-e2e-role'
const ROLE = 'terway-node'
/** Life of a key, s: renewed at half of it. */
const KEY_LIFE = 6

const AUDIT = z.object({
  calls: z.array(z.object({ action: z.string(), key: z.string().optional(), code: z.string(), node: z.string() })),
})

describe('without a key of its own', () => {
  let cluster: Cluster
  let scratch: string

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'terway-role-'))
    const region = join(scratch, 'region.yaml')
    const nodes = ['a', 'b'].map((letter, i) => ({
      ...{ name: `node-${letter}`, instanceId: `i-sim-${letter}`, instanceType: 'ecs.g7.xlarge' },
      ...{ vSwitch: `vsw-sim-${'hi'[i]}`, primaryIp: `10.0.${i + 1}.10` },
      ...{ ramRole: ROLE, metadataTokens: 'required' },
    }))
    const policy = { allow: ['ecs:*', 'vpc:DescribeVSwitches'] }
    writeFileSync(region, regionText({ nodes, ramRoles: [{ name: ROLE, keyLife: KEY_LIFE, policy }] }))
    const none = { access_key: undefined, access_secret: undefined }
    // The pool alone asks too seldom for several keys to be seen.
    const eniConf = { ...none, resource_gc: { interval_seconds: 2 } }
    cluster = await startCluster({ prefix: PREFIX, region, eniConf })
  })

  afterAll(async () => {
    await cluster?.stop()
    rmSync(scratch, { recursive: true, force: true })
  })

  const callsOfNodeA = async () => {
    const answer = await fetch(`${cluster.simApi}/audit?node=node-a`)
    return AUDIT.parse(await answer.json()).calls
  }
  const keysOf = (calls: readonly { readonly key?: string | undefined }[]) =>
    new Set(calls.flatMap(({ key }) => key ?? []))

  test('pods come and go over several lives of its keys, also while the metadata service is out for a while', async () => {
    const node = cluster.node('node-a')
    const pods = []
    for (let i = 0; i < 8; i++) {
      if (i === 3) await out(KEY_LIFE * 250)
      const pod = await cluster.createPod(node, `pod-${i}`)
      await pod.add()
      pods.push(pod)
      await sleep(KEY_LIFE * 250)
    }
    const calls = await callsOfNodeA()
    const keys = keysOf(calls)
    expect(keys).not.toContain('LTAIsim')
    expect(keys.size).toBeGreaterThan(2)
    expect(calls.map((call) => call.code).filter((code) => code !== 'OK')).toEqual([])
    await assertConsistent(cluster)
    for (const pod of pods) await pod.del().then(() => pod.destroy())
  })

  /** The metadata service fails for that long, ms. */
  async function out(milliseconds: number): Promise<void> {
    const fault = { select: { path: 'meta-data/ram/*', for: milliseconds }, effect: { metadata: { status: 503 } } }
    const answer = await fetch(`${cluster.simApi}/faults`, { method: 'POST', body: JSON.stringify(fault) })
    expect([answer.status, await answer.text()]).toEqual([201, expect.any(String)])
  }

  test('no secret is in its log', () => {
    const log = cluster.nodes.map((node) => readFileSync(node.logFile, 'utf8')).join()
    expect(log).toContain('"credential":"ram-role"')
    expect(log).not.toMatch(/securityToken|accessKeySecret|STS\./i)
  })
})
