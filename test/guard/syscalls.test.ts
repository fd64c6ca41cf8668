import { describe, expect, test } from '@jest/globals'
import { fdOf, parseStrace, type Syscall, slices, targetOf } from './syscalls.ts'

const only = (text: string): Syscall => {
  const [call, ...others] = parseStrace(`17 ${text}\n`)
  if (call === undefined || others.length > 0) throw new Error(`not one call: ${text}`)
  return call
}

describe('one call', () => {
  test.each([
    ['setns(28</run/netns/x>, CLONE_NEWNET) = 0', { name: 'setns', args: '28</run/netns/x>, CLONE_NEWNET', result: 0 }],
    ['ioctl(28</run/netns/x>, NS_GET_NSTYPE) = 1073741824 (CLONE_NEWNET)', { name: 'ioctl', result: 1073741824 }],
    ['accept4(43<UNIX-STREAM:[6,"/s"]>, NULL, NULL, 0) = 26<UNIX-STREAM:[7->8,"/s"]>', { result: 26 }],
    ['mkdir("/a (b) = 1", 0700) = -1 EEXIST (File exists)', { result: -1, error: 'EEXIST' }],
    ['close(3)                                = 0', { name: 'close', args: '3', result: 0 }],
    ['exit_group(0) = ?', { name: 'exit_group', result: undefined }],
    ['brk(NULL) = 0x2a', { result: 42 }],
  ])('%s', (text, expected) => {
    expect(only(text)).toMatchObject({ thread: 17, error: undefined, ...expected })
  })

  test.each([
    ['write(26<UNIX-STREAM:[7->8,"/run/eni.socket"]>, ""..., 9) = 9', 26, 'UNIX-STREAM:[7->8,"/run/eni.socket"]'],
    ['close(28</run/netns/x>) = 0', 28, '/run/netns/x'],
    ['openat(AT_FDCWD</work>, "/x", O_RDONLY) = 3</x>', undefined, ''],
    ['socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = 30<NETLINK:[1]>', undefined, ''],
  ])('its descriptor: %s', (text, fd, target) => {
    const call = only(text)
    expect([fdOf(call), targetOf(call)]).toEqual([fd, target])
  })
})

test('a call that ends after another has begun is whole, one that began before is not there', () => {
  const text = [
    '1 <... epoll_wait resumed>[], 1024, 0) = 0',
    '1 read(3</a>,  <unfinished ...>',
    '2 read(4</b>,  <unfinished ...>',
    '2 --- SIGURG {si_signo=SIGURG} ---',
    '1 <... read resumed>""..., 10) = 7',
    '2 <... read resumed>""..., 20) = 8',
    '2 +++ exited with 0 +++',
    '',
  ].join('\n')
  expect(parseStrace(text).map(({ thread, args, result }) => ({ thread, args, result }))).toEqual([
    { thread: 1, args: '3</a>, ""..., 10', result: 7 },
    { thread: 2, args: '4</b>, ""..., 20', result: 8 },
  ])
})

test.each(['nonsense', '17 nonsense'])('what strace cannot have written is an error: %s', (line) => {
  expect(() => parseStrace(line)).toThrow(SyntaxError)
})

test('slices begin where something begins, and what is in front is of none', () => {
  const calls = parseStrace(
    ['read', 'accept4', 'write', 'accept4', 'close'].map((name) => `1 ${name}(3) = 0`).join('\n'),
  )
  const found = slices(calls, ({ name }) => name === 'accept4')
  expect(found.map((slice) => slice.map(({ name }) => name))).toEqual([
    ['accept4', 'write'],
    ['accept4', 'close'],
  ])
})
