import { expect, test } from '@jest/globals'
import { InvalidArgumentError } from 'commander'
import { parseFlags, parseListen } from './flags.ts'

test('the metrics are for this node alone unless the operator says otherwise', () => {
  expect(parseFlags(['--node-name', 'a'], '1').metricsListen).toEqual({ host: '127.0.0.1', port: 9191 })
  expect(parseFlags(['--node-name', 'a', '--metrics-listen', 'off'], '1').metricsListen).toBe('off')
})

test.each([
  ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
  ['[::1]:9191', { host: '::1', port: 9191 }],
  [':9191', { host: '', port: 9191 }],
])('%s', (text, address) => {
  expect(parseListen(text)).toEqual(address)
})

test.each(['9191', 'host:', '::1:80:', 'host:70000', '[::1]'])('%s is refused', (text) => {
  expect(() => parseListen(text)).toThrow(InvalidArgumentError)
})
