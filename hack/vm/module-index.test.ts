import { expect, test } from '@jest/globals'
import { filesOf } from './module-index.ts'

const INDEX = `kernel/net/9p/9pnet.ko:
kernel/fs/netfs/netfs.ko:
kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko kernel/fs/netfs/netfs.ko
kernel/net/9p/9pnet_virtio.ko: kernel/net/9p/9pnet.ko
kernel/net/9p/9pnet_rdma.ko: kernel/net/9p/9pnet.ko kernel/drivers/infiniband/core/rdma_cm.ko
`

test('a module comes with what it needs, once', () => {
  expect(filesOf(['9pnet_virtio', '9p'], INDEX)).toEqual([
    'kernel/fs/9p/9p.ko',
    'kernel/net/9p/9pnet.ko',
    'kernel/fs/netfs/netfs.ko',
    'kernel/net/9p/9pnet_virtio.ko',
  ])
})

test('one that needs nothing comes alone', () => {
  expect(filesOf(['netfs'], INDEX)).toEqual(['kernel/fs/netfs/netfs.ko'])
})

test('one that is built in, or whose name another one ends with, has no file', () => {
  expect(filesOf(['virtio', 'net'], INDEX)).toEqual([])
})
