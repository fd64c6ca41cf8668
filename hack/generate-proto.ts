/**
 * Writes `proto/generated/`: TypeScript types of the messages and services (by grpc's own generator) and the
 * descriptors as data, so that a bundled program needs no .proto file at run time. `--check` fails when the files in
 * the tree are not what the .proto files give.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import protobuf from 'protobufjs'

const CONTRACTS = ['cni', 'inspect', 'repair']
/** Must agree with the load options in proto/contract.ts. */
const TYPE_OPTIONS = ['--longs=Number', '--enums=String', '--defaults', '--oneofs', '--includeComments']

function generate(out: string): void {
  const generator = join('node_modules', '@grpc', 'proto-loader', 'build', 'bin', 'proto-loader-gen-types.js')
  const names = CONTRACTS.map((contract) => `${contract}.proto`)
  execFileSync(process.execPath, [
    ...[generator, ...TYPE_OPTIONS, '--grpcLib=@grpc/grpc-js', '--importFileExtension=.ts'],
    ...['--includeDirs=proto', `--outDir=${out}`, ...names],
  ])
  for (const contract of CONTRACTS) {
    const { root } = protobuf.parse(readFileSync(`proto/${contract}.proto`, 'utf8'), { keepCase: false })
    const lines = [
      `// Generated from proto/${contract}.proto by hack/generate-proto.ts.`,
      "import type { INamespace } from 'protobufjs'",
      `const descriptor: unknown = ${JSON.stringify(root.toJSON())}`,
      'export default descriptor as INamespace',
    ]
    writeFileSync(join(out, `${contract}.descriptor.ts`), `${lines.join('\n')}\n`)
  }
}

function differences(generated: string): string[] {
  const list = (dir: string) => globSync('**/*.ts', { cwd: dir }).sort()
  const here = list('proto/generated')
  const fresh = list(generated)
  return [...new Set([...here, ...fresh])].filter((file) => {
    if (!here.includes(file) || !fresh.includes(file)) return true
    return readFileSync(join(generated, file), 'utf8') !== readFileSync(join('proto/generated', file), 'utf8')
  })
}

const scratch = mkdtempSync(join(tmpdir(), 'terway-proto-'))
try {
  generate(scratch)
  if (process.argv.includes('--check')) {
    const stale = differences(scratch)
    if (stale.length > 0) {
      console.error(`proto/generated is stale (${stale.join(', ')}): run "make proto"`)
      process.exitCode = 1
    }
  } else {
    rmSync('proto/generated', { recursive: true, force: true })
    cpSync(scratch, 'proto/generated', { recursive: true })
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
