import { expect, test } from '@jest/globals'
import { PlanInterpreter } from '../../netlink/interpreter.ts'
import { supportsLinkKind } from '../../netlink/probe.ts'
import { raw } from '../../test/kernel/pods-under-test.ts'
import { parseStatus } from '../cni/invocation.ts'
import { parseEniConf } from '../config/eni-conf.ts'
import { NodeStatus, type NodeStatusParts } from './node-status.ts'

const full = Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR' })

function look(part: Partial<NodeStatusParts> & Pick<NodeStatusParts, 'kernel'>, netConf: object = {}): void {
  const { conf } = parseEniConf('{}')
  const journal = { putFact: () => undefined }
  new NodeStatus({ conf, journal, now: () => 1, ...part }).look(parseStatus(raw({ conf: netConf })).conf)
}

test('a node that can put a pod on record and make its links is well', async () => {
  await using kernel = new PlanInterpreter()
  expect(() => look({ kernel })).not.toThrow()
})

test('one whose journal cannot be written is not', async () => {
  await using kernel = new PlanInterpreter()
  const journal = {
    putFact: () => {
      throw full
    },
  }
  expect(() => look({ kernel, journal })).toThrow(
    expect.objectContaining({ code: 50, message: expect.stringContaining('database or disk is full') }),
  )
})

const withoutIpvlan = supportsLinkKind('ipvlan') ? test.skip : test
withoutIpvlan('nor is one whose kernel lacks the links that are configured', async () => {
  await using kernel = new PlanInterpreter()
  expect(() => look({ kernel }, { eniip_virtual_type: 'IPVlan' })).toThrow(
    expect.objectContaining({ code: 50, reason: 'kernel-unsupported' }),
  )
})

test('an interpreter that cannot speak to the kernel any more is told of', async () => {
  const kernel = new PlanInterpreter()
  await kernel.close()
  expect(() => look({ kernel })).toThrow(expect.objectContaining({ code: 50, reason: 'kernel-unreachable' }))
})
