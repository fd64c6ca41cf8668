import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ip, run, TestNamespaces } from '../test/kernel/namespaces.ts'
import { listenTcpInNetns } from './listener.ts'
import {
  createNamedNetns,
  deleteNamedNetns,
  homeNetns,
  isNetns,
  listNamedNetns,
  type Netns,
  openNetns,
  sameNetns,
  warmThreadPool,
  withNetns,
} from './netns.ts'
import { readSysctl, readSysctls, writeSysctl, writeSysctls } from './sysctl.ts'

let spaces: TestNamespaces
let netns: Netns
let files: string

beforeEach(async () => {
  await warmThreadPool()
  spaces = new TestNamespaces('tw-nl-ns-')
  netns = spaces.create('a')
  files = mkdtempSync(join(tmpdir(), 'tw-nl-'))
})

afterEach(() => {
  spaces[Symbol.dispose]()
  rmSync(files, { recursive: true })
})

const current = () => readlinkSync('/proc/thread-self/ns/net')
const descriptors = () => readdirSync('/proc/self/fd').length

describe('withNetns', () => {
  test('runs inside and comes back', () => {
    const home = current()
    const inside = withNetns(netns, current)
    expect(inside).not.toBe(home)
    expect(current()).toBe(home)
    expect(withNetns(netns.path, current)).toBe(inside)
    expect(withNetns(netns, () => readFileSync('/proc/net/dev', 'utf8').trim().split('\n'))).toHaveLength(3)
  })

  test('an entry inside an entry returns to the outer one', () => {
    const other = spaces.create('b')
    const seen = withNetns(netns, () => [current(), withNetns(other, current), current()])
    expect(seen[2]).toBe(seen[0])
    expect(seen[1]).not.toBe(seen[0])
  })

  test('whatever fails, the thread is back and no descriptor is left', () => {
    writeFileSync(join(files, 'regular'), '')
    execFileSync('mkfifo', [join(files, 'fifo')])
    const home = current()
    const enter = (path: string) => () => withNetns(path, () => 1)
    const attempts: [() => unknown, object][] = [
      [enter('/run/netns/tw-nl-ns-none'), { code: 'ENOENT' }],
      [enter(join(files, 'regular')), { code: 'ENOTNETNS' }],
      [enter(join(files, 'fifo')), { code: 'ENOTNETNS' }],
      [enter(files), { code: 'ENOTNETNS' }],
      [enter('/proc/self/ns/mnt'), { code: 'ENOTNETNS' }],
      [enter(join(files, 'regular', 'x')), { code: 'ENOTDIR' }],
      [() => withNetns(netns, () => Promise.reject(new Error('late'))), { code: 'EPROMISE' }],
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is refused here
      [() => withNetns(netns, () => ({ then: () => undefined })), { code: 'EPROMISE' }],
      [
        () =>
          withNetns(netns, () => {
            throw new RangeError('thrown inside')
          }),
        { message: 'thrown inside' },
      ],
    ]
    const before = descriptors()
    for (let round = 0; round < 20; round++) {
      for (const [attempt, error] of attempts) expect(attempt).toThrow(expect.objectContaining(error))
    }
    expect(current()).toBe(home)
    expect(descriptors()).toBe(before)
  })

  test('a process that cannot return ends at once', () => {
    const script = `
      import { closeSync, readdirSync, readlinkSync } from 'node:fs'
      import { openNetns, withNetns } from ${JSON.stringify(join(process.cwd(), 'netlink/netns.ts'))}
      const netns = openNetns(${JSON.stringify(netns.path)})
      withNetns(netns, () => {
        for (const fd of readdirSync('/proc/self/fd')) {
          try { if (readlinkSync('/proc/self/fd/' + fd).startsWith('net:')) closeSync(Number(fd)) } catch {}
        }
      })
      console.log('went on')
    `
    const child = spawnSync(process.execPath, ['--input-type=module-typescript', '--eval', script], {
      encoding: 'utf8',
    })
    expect(child.signal).toBe('SIGABRT')
    expect(child.stderr).toContain('cannot return to the home network namespace')
    expect(child.stdout).not.toContain('went on')
  })
})

describe('handles', () => {
  test('tell the same namespace from another', () => {
    const other = spaces.create('b')
    using again = openNetns(netns.path)
    using home = homeNetns()
    expect(sameNetns(netns, again)).toBe(true)
    expect(sameNetns(netns.path, other.path)).toBe(false)
    expect(sameNetns(home, '/proc/self/ns/net')).toBe(true)
    expect(isNetns(netns.path)).toBe(true)
    expect(isNetns('/etc/hostname')).toBe(false)
    expect(isNetns('/run/netns/tw-nl-ns-none')).toBe(false)
  })

  test('outlive the path and can be closed twice', () => {
    const inside = withNetns(netns, current)
    deleteNamedNetns('tw-nl-ns-a')
    expect(withNetns(netns, current)).toBe(inside)
    netns.close()
    netns.close()
    expect(() => withNetns(netns, current)).toThrow(expect.objectContaining({ code: 'EBADF' }))
  })
})

describe('named namespaces', () => {
  test('are those of ip netns, both ways', () => {
    expect(execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })).toContain('tw-nl-ns-a')
    execFileSync('ip', ['netns', 'add', 'tw-nl-ns-theirs'])
    expect(listNamedNetns('tw-nl-ns-')).toEqual(['tw-nl-ns-a', 'tw-nl-ns-theirs'])
    expect(isNetns('/run/netns/tw-nl-ns-theirs')).toBe(true)
    deleteNamedNetns('tw-nl-ns-theirs')
    execFileSync('ip', ['netns', 'del', 'tw-nl-ns-a'])
    expect(listNamedNetns('tw-nl-ns-')).toEqual([])
  })

  test('a taken name, a missing name and a name that is a path', () => {
    expect(() => createNamedNetns('tw-nl-ns-a')).toThrow(expect.objectContaining({ code: 'EEXIST' }))
    deleteNamedNetns('tw-nl-ns-none')
    for (const name of ['', '.', '..', '../x', 'a/b', 'a\0b', 'x'.repeat(300)]) {
      expect(() => createNamedNetns(name)).toThrow(expect.objectContaining({ code: 'EINVAL' }))
      expect(() => deleteNamedNetns(name)).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    }
  })

  test('what a crash between file and mount leaves behind can be deleted', () => {
    writeFileSync('/run/netns/tw-nl-ns-half', '')
    deleteNamedNetns('tw-nl-ns-half')
    expect(listNamedNetns('tw-nl-ns-half')).toEqual([])
  })
})

describe('sysctls', () => {
  const key = ['net', 'ipv4', 'conf', 'all', 'rp_filter']

  test('are read and written in the namespace only', () => {
    const home = readSysctl(undefined, key)
    const value = home === '2' ? '1' : '2'
    writeSysctl(netns, { key, value })
    expect(run(netns, 'sysctl', '-n', 'net.ipv4.conf.all.rp_filter').trim()).toBe(value)
    expect(readSysctl(netns, key)).toBe(value)
    expect(readSysctl(undefined, key)).toBe(home)
  })

  test('a link name with a dot is one component', () => {
    ip(netns, 'link', 'add', 'eth0.7', 'type', 'veth', 'peer', 'name', 'p')
    const dotted = ['net', 'ipv4', 'conf', 'eth0.7', 'forwarding']
    writeSysctls(netns, [{ key: dotted, value: '1' }])
    expect(readSysctl(netns, dotted)).toBe('1')
  })

  test('an equal value is not written', () => {
    const port = ['net', 'ipv4', 'ip_local_port_range']
    expect(readSysctl(netns, port)).toBe('32768 60999')
    writeSysctl(netns, { key: port, value: '32768\t60999' })
    // Refuses every write, so only a comparison can succeed.
    const readOnly = ['net', 'ipv4', 'tcp_available_congestion_control']
    writeSysctl(netns, { key: readOnly, value: readSysctl(netns, readOnly) })
  })

  test('what is none, and what the kernel refuses', () => {
    expect(readSysctls(netns, [['net', 'no'], key])).toEqual([undefined, expect.any(String)])
    expect(() => readSysctl(netns, ['net', 'no'])).toThrow(expect.objectContaining({ code: 'ENOENT' }))
    expect(() => writeSysctl(netns, { key, value: 'many' })).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    for (const bad of [[], ['..'], ['net', '..', 'kernel'], ['net/ipv4'], ['net', ''], ['a\0b']]) {
      expect(() => readSysctl(netns, bad)).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    }
  })
})

describe('listening inside', () => {
  test('serves the namespace and nobody else', async () => {
    ip(netns, 'link', 'set', 'lo', 'up')
    ip(netns, 'addr', 'add', '100.100.100.200/32', 'dev', 'lo')
    const fd = listenTcpInNetns(netns, { host: '100.100.100.200', port: 80 })
    const server = createServer((_, response) => response.end('metadata'))
    await new Promise<void>((resolve) => server.listen({ fd }, resolve))
    try {
      const { address, port } = JSON.parse(JSON.stringify(server.address()))
      expect([address, port]).toEqual(['100.100.100.200', 80])
      expect(run(netns, 'ss', '-Hltn')).toContain('100.100.100.200:80')
      expect(execFileSync('ss', ['-Hltn'], { encoding: 'utf8' })).not.toContain('100.100.100.200')
      expect(await fetchInside(netns)).toBe('metadata')
      const taken = () => listenTcpInNetns(netns, { host: '100.100.100.200', port: 80 })
      expect(taken).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }))
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
  })

  test('an address that is not there is refused and leaves no descriptor', () => {
    // Before the namespace has any local address the kernel does not check.
    ip(netns, 'link', 'set', 'lo', 'up')
    const before = descriptors()
    const listen = () => listenTcpInNetns(netns, { host: '192.0.2.1', port: 80 })
    expect(listen).toThrow(expect.objectContaining({ code: 'EADDRNOTAVAIL' }))
    expect(descriptors()).toBe(before)
    const fd = listenTcpInNetns(netns, { host: '0.0.0.0', port: 0 })
    expect(descriptors()).toBe(before + 1)
    closeSync(fd)
  })
})

/** A client in the namespace, as its own process: this one's event loop must stay free to serve. */
async function fetchInside(inside: Netns): Promise<string> {
  const { execFile } = await import('node:child_process')
  const script = "fetch('http://100.100.100.200/').then((r) => r.text()).then((t) => process.stdout.write(t))"
  const name = inside.path.slice('/run/netns/'.length)
  return new Promise((resolve, reject) => {
    execFile('ip', ['netns', 'exec', name, process.execPath, '-e', script], (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    )
  })
}
