import { expect, test } from '@jest/globals'
import { parseRecord } from './apt.ts'

const SHA256 = 'a86e2049672f52354c4536a089203b6c82639420424d31c91cf31a181fd4d8f1'
const RECORD = `Package: linux-image-6.1.0-56-amd64
Version: 6.1.192-2
Installed-Size: 398452
Depends: kmod, linux-base (>= 4.3~)
Size: 70550672
SHA256: ${SHA256}
Description: Linux 6.1 for 64-bit PCs
 Size: 1
`

test('the first record counts, and a continued line is no field', () => {
  expect(parseRecord(`${RECORD}\n${RECORD.replaceAll('6.1', '5.9')}`)).toEqual({
    ...{ name: 'linux-image-6.1.0-56-amd64', version: '6.1.192-2', depends: 'kmod, linux-base (>= 4.3~)' },
    ...{ size: 70_550_672, sha256: SHA256 },
  })
})

test.each([
  ['nothing', ''],
  ['a package that is only installed', RECORD.replace(/^(Size|SHA256): .*\n/gm, '')],
  ['a hash of another kind', RECORD.replace(SHA256, 'd41d8cd98f00b204e9800998ecf8427e')],
  ['no number of bytes', RECORD.replace('70550672', 'many')],
])('%s is no record', (_, text) => {
  expect(parseRecord(text)).toBeUndefined()
})
