/** Errors as Node and the SDK make them, by their fields. */
import { expect, test } from '@jest/globals'
import { toCloudError } from './failed-answer.ts'

test.each<[string, object, string, string]>([
  ['a connection that is refused', { code: 'ECONNREFUSED', message: 'refused' }, 'Network', 'transient'],
  [
    'another end that is somebody else',
    { code: 'DEPTH_ZERO_SELF_SIGNED_CERT', message: 'self-signed' },
    'Network',
    'transient',
  ],
  ['a certificate and a clock that disagree', { code: 'CERT_HAS_EXPIRED', message: 'expired' }, 'Network', 'transient'],
  ['HTTP that is none', { code: 'HPE_INVALID_CONSTANT', message: 'parse error' }, 'BadAnswer', 'transient'],
  ['a silent connection', { name: 'RequestTimeoutError', message: 'silent' }, 'Timeout', 'transient'],
  ['a process out of descriptors', { code: 'EMFILE', message: 'too many open files' }, 'Client', 'local'],
  ['a fault of ours', { name: 'TypeError', message: 'x is not a function' }, 'Client', 'local'],
  ['an answer', { code: 'IncorrectInstanceStatus', statusCode: 403 }, 'IncorrectInstanceStatus', 'permanent'],
])('%s', (_, thrown, code, kind) => {
  expect(toCloudError('TagResources', thrown, [])).toMatchObject({ action: 'TagResources', code, kind })
})

test('what is no answer of the API keeps its code in its words', () => {
  const error = toCloudError('TagResources', { code: 'EMFILE', message: 'too many open files' }, [])
  expect(error.message).toBe('TagResources failed with Client: EMFILE: too many open files')
})
