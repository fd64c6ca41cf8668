import { expect, test } from '@jest/globals'
import { newAddresses } from './creation.ts'

const unit = 'prefix' as const

test('prefixes of a family are asked for only where pods have addresses of it', () => {
  const asked = (families: readonly ('ipv4' | 'ipv6')[]) =>
    newAddresses({ role: 'shared', pods: 18, limits: { families, unit } })
  expect(asked(['ipv4'])).toEqual({ secondaryIps: 0, ipv4Prefixes: 2 })
  expect(asked(['ipv6'])).toEqual({ secondaryIps: 0, ipv4Prefixes: 0, ipv6Prefixes: 1 })
  expect(asked(['ipv4', 'ipv6'])).toEqual({ secondaryIps: 0, ipv4Prefixes: 2, ipv6Prefixes: 1 })
})
