import { describe, expect, test } from '@jest/globals'
import { signedRequest } from '../../test/simulator/sign-request.ts'
import type { AccessKeyId } from '../region/ids.ts'
import { NonceMemory } from './nonce-memory.ts'
import {
  CLOCK_TOLERANCE,
  canonicalRequest,
  type SignedRequest,
  sign,
  stringToSign,
  verifySignature,
} from './signature.ts'

const NOW = Date.parse('2026-11-21T05:39:35Z')
const KEY = { id: 'LTAIsim' as AccessKeyId, secret: 'sim-secret' }

function verifier(now = NOW) {
  return {
    find: (id: AccessKeyId) => (id === KEY.id ? KEY : undefined),
    nonces: new NonceMemory(2 * CLOCK_TOLERANCE),
    now,
  }
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
  return 'OK'
}

/** The request with another header, or without it; its signature is not made anew. */
function withHeader(request: SignedRequest, name: string, value: string | undefined): SignedRequest {
  const headers = new Map(request.headers)
  if (value === undefined) headers.delete(name)
  else headers.set(name, value)
  return { ...request, headers }
}

const sample = () => signedRequest({ action: 'DescribeInstances', query: { RegionId: 'cn-sim' }, now: NOW })

test('reproduces the example of the signature documentation', () => {
  const request = {
    method: 'POST',
    path: '/',
    query: new Map([
      ['RegionId', 'cn-shanghai'],
      ['ImageId', 'win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd'],
    ]),
    headers: new Map([
      ['host', 'ecs.cn-shanghai.aliyuncs.com'],
      ['x-acs-action', 'RunInstances'],
      ['x-acs-content-sha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
      ['x-acs-date', '2023-10-26T10:22:32Z'],
      ['x-acs-signature-nonce', '3156853299f313e23d1673dc12e1703d'],
      ['x-acs-version', '2014-05-26'],
    ]),
    body: Buffer.alloc(0),
  }
  const text = stringToSign(canonicalRequest(request, [...request.headers.keys()]))
  expect(text).toBe('ACS3-HMAC-SHA256\n7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259')
  const signature = '06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0'
  expect(sign(text, 'YourAccessKeySecret')).toBe(signature)
})

describe('verifySignature', () => {
  test('returns the key that signed', () => {
    expect(verifySignature(sample(), verifier())).toBe(KEY)
  })

  test('escapes all that RFC 3986 does not leave alone', () => {
    const query = { Description: "a b+c*d~e!'()/?&=%äß", RegionId: 'cn-sim' }
    expect(canonicalRequest(signedRequest({ action: 'X', query }), [])).toContain(
      'Description=a%20b%2Bc%2Ad~e%21%27%28%29%2F%3F%26%3D%25%C3%A4%C3%9F&RegionId=cn-sim',
    )
  })

  test.each([
    ['another secret', signedRequest({ action: 'A', query: {}, secret: 'x', now: NOW }), 'SignatureDoesNotMatch'],
    [
      'an unknown key',
      signedRequest({ action: 'A', query: {}, keyId: 'LTAIx', now: NOW }),
      'InvalidAccessKeyId.NotFound',
    ],
    [
      'an old date',
      signedRequest({ action: 'A', query: {}, now: NOW - CLOCK_TOLERANCE - 1000 }),
      'InvalidTimeStamp.Expired',
    ],
    [
      'a future date',
      signedRequest({ action: 'A', query: {}, now: NOW + CLOCK_TOLERANCE + 1000 }),
      'InvalidTimeStamp.Expired',
    ],
    ['a date that is none', withHeader(sample(), 'x-acs-date', 'yesterday'), 'InvalidTimeStamp.Expired'],
    ['no signature', withHeader(sample(), 'authorization', undefined), 'IncompleteSignature'],
    ['another algorithm', withHeader(sample(), 'authorization', 'Basic eDp5'), 'IncompleteSignature'],
    ['no nonce', withHeader(sample(), 'x-acs-signature-nonce', undefined), 'IncompleteSignature'],
    ['an unsigned header', withHeader(sample(), 'x-acs-security-token', 't'), 'IncompleteSignature'],
    ['an unsigned content type', withHeader(sample(), 'content-type', 'text/plain'), 'IncompleteSignature'],
    ['another action', withHeader(sample(), 'x-acs-action', 'DeleteInstances'), 'SignatureDoesNotMatch'],
    ['another query', { ...sample(), query: new Map([['RegionId', 'cn-x']]) }, 'SignatureDoesNotMatch'],
    ['another method', { ...sample(), method: 'GET' }, 'SignatureDoesNotMatch'],
    ['a body that was not signed', { ...sample(), body: Buffer.from('x') }, 'SignatureDoesNotMatch'],
  ])('refuses %s', (_, request, code) => {
    expect(codeOf(() => verifySignature(request, verifier()))).toBe(code)
  })

  test('takes a nonce once, and only from who knows the secret', () => {
    const memory = verifier()
    const forged = signedRequest({ action: 'A', query: {}, nonce: 'n', secret: 'x', now: NOW })
    const real = signedRequest({ action: 'A', query: {}, nonce: 'n', now: NOW })
    expect(codeOf(() => verifySignature(forged, memory))).toBe('SignatureDoesNotMatch')
    expect(codeOf(() => verifySignature(real, memory))).toBe('OK')
    expect(codeOf(() => verifySignature(real, memory))).toBe('SignatureNonceUsed')
  })
})

test('a nonce is forgotten when its date could not be used any more', () => {
  const nonces = new NonceMemory(1000)
  expect([nonces.use('a', 0), nonces.use('a', 999), nonces.use('a', 1000)]).toEqual([true, false, true])
})
