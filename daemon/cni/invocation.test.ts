import { expect, test } from '@jest/globals'
import { parseAdd, parseCheck, parseDel, parseGc, parseStatus } from './invocation.ts'

const raw = (config: object = {}) => ({
  containerId: 'c1',
  netns: '/run/netns/x',
  ifname: 'eth0',
  args: 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0',
  config: Buffer.from(JSON.stringify({ cniVersion: '1.1.0', name: 'terway', type: 'terway', ...config })),
})

test('ADD', () => {
  expect(parseAdd(raw())).toMatchObject({
    attachment: { containerId: 'c1', netns: '/run/netns/x', ifname: 'eth0' },
    pod: { namespace: 'default', name: 'web-0' },
    conf: { cniVersion: '1.1.0' },
  })
  expect(() => parseAdd({ ...raw(), netns: '' })).toThrow(expect.objectContaining({ code: 4 }))
  expect(() => parseAdd({ ...raw(), args: '' })).toThrow(expect.objectContaining({ code: 4 }))
})

test('DEL goes without namespace, pod and any key but the name', () => {
  expect(parseDel({ ...raw({ mtu: 'big' }), netns: '', args: 'nonsense' })).toEqual({
    detachment: { containerId: 'c1', netns: undefined, ifname: 'eth0' },
    conf: { cniVersion: '1.1.0', name: 'terway' },
  })
})

test('CHECK and STATUS', () => {
  expect(parseCheck({ ...raw(), args: '' }).attachment.containerId).toBe('c1')
  expect(parseStatus({ ...raw(), containerId: '', netns: '', ifname: '' }).conf.name).toBe('terway')
  expect(() => parseStatus(raw({ cniVersion: '1.0.0' }))).toThrow(expect.objectContaining({ code: 1 }))
})

test('GC removes nothing when it is not told what to keep', () => {
  expect(parseGc(raw({ 'cni.dev/valid-attachments': [] })).validAttachments).toEqual([])
  expect(() => parseGc(raw())).toThrow(
    expect.objectContaining({ code: 7, message: expect.stringContaining('cni.dev/valid-attachments') }),
  )
})
