import { describe, expect, test } from '@jest/globals'
import { CloudError } from '../../cloud/error.ts'
import { poolOf } from '../../test/pool/state-builder.ts'
import { EniStateError } from './effects/context.ts'
import { giveUp } from './give-up.ts'
import type { AssignRecord, AssignToken, EniKey, EniRecord } from './model.ts'

const NOW = 1_000
const refused = (code: string) => new CloudError('no', { action: 'AttachNetworkInterface', code, httpStatus: 403 })

function eniIn(phase: EniRecord['phase']): EniRecord {
  const [eni] = poolOf({ a: { phase } }).enis.values()
  if (eni === undefined) throw new Error('no ENI')
  return eni
}

const failed = (phase: EniRecord['phase'], error: unknown) =>
  giveUp({ eni: eniIn(phase), error, assign: undefined, now: NOW })

describe.each(['creating', 'attaching'] as const)('of one that is %s', (phase) => {
  test.each([
    'EniPerInstanceLimitExceeded',
    'MaxEniCountExceeded',
    'SecurityGroupInstanceLimitExceed',
    'Forbidden.RAM',
    'InvalidAccessKeyId.NotFound',
    'InvalidInstanceId.NotFound',
    'OperationDenied.InvalidTrunk',
  ])('the next would meet %s as well', (code) => {
    expect(failed(phase, refused(code))).toMatchObject({ isGeneral: true, isEmpty: false })
  })

  test.each(['InvalidVSwitchId.IpNotEnough', 'InvalidVSwitchId.NotFound', 'QuotaExceeded.PrivateIpAddress'])(
    'another vSwitch may do after %s',
    (code) => {
      expect(failed(phase, refused(code))).toMatchObject({ isGeneral: false, isEmpty: true })
    },
  )

  test.each([
    refused('InvalidEniId.NotFound'),
    refused('InvalidOperation.InvalidEniState'),
    refused('IdempotentParameterMismatch'),
    refused('InternalError'),
    refused('Throttling.User'),
    new EniStateError('it vanished'),
    new Error('its link never came'),
  ])('the next need not meet it: %s', (error) => {
    expect(failed(phase, error)).toMatchObject({ isGeneral: false, isEmpty: false })
  })
})

test('what is being created is forgotten, what is being attached goes back with the reason', () => {
  const error = refused('EniPerInstanceLimitExceeded')
  expect(failed('creating', error).changes).toEqual([{ kind: 'drop-eni', key: 'a' }])
  const eni = { ...eniIn('attaching'), phase: 'deleting', since: NOW, failure: error.message }
  expect(failed('attaching', error).changes).toEqual([{ kind: 'put-eni', eni }])
  expect(failed('in-use', error).changes).toEqual([])
})

test('of a failed assignment nothing is said about ENIs', () => {
  const assign: AssignRecord = { token: 't' as AssignToken, eni: 'a' as EniKey, what: 'ipv4', count: 1, since: 0 }
  const answer = giveUp({ eni: eniIn('in-use'), error: refused('EniPerInstanceLimitExceeded'), assign, now: NOW })
  expect(answer).toEqual({ changes: [{ kind: 'drop-assign', token: 't' }], isEmpty: false, isGeneral: false })
})
