import { expect, test } from '@jest/globals'
import { CniError, CniErrorCode, toErrorMessage } from './error.ts'

test('a CNI error is sent as it is', () => {
  const error = new CniError({
    code: CniErrorCode.kernelFailure,
    reason: 'kernel-refused',
    text: 'link cali123 of default/web-0: ENOSPC',
    details: 'look at dmesg',
  })
  expect(toErrorMessage(error)).toEqual({
    code: 102,
    msg: 'kernel-refused: link cali123 of default/web-0: ENOSPC',
    details: 'look at dmesg',
  })
})

test('any other error is a fault of the program and shows its causes', () => {
  const error = new TypeError('no plan', { cause: new Error('undefined is not a link') })
  expect(toErrorMessage(error)).toMatchObject({ code: 100, msg: 'internal: no plan: undefined is not a link' })
  expect(toErrorMessage('text')).toMatchObject({ code: 100, msg: 'internal: text' })
})
