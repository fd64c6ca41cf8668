import { execFileSync, spawn } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { readAll } from './stdio.ts'

test('a non-blocking descriptor is read to its end, not to its first pause', () => {
  const root = mkdtempSync(join(tmpdir(), 'tw-stdio-'))
  try {
    const path = join(root, 'pipe')
    execFileSync('mkfifo', [path])
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const writer = openSync(path, constants.O_WRONLY)
    const script = 'printf early; sleep 0.2; printf " late"'
    spawn('/bin/sh', ['-c', script], { stdio: ['ignore', writer, 'ignore'] })
    closeSync(writer)
    expect(readAll(reader).toString()).toBe('early late')
    closeSync(reader)
  } finally {
    rmSync(root, { recursive: true })
  }
})
