/** One measurement of `cloud.import`, as JSON on stdout. `hack/node test/bench/cloud-import-once.ts MODULE` */
import { pathToFileURL } from 'node:url'

// What the daemon has loaded in any case.
await import('zod')
await import('pino')
await import('prom-client')
await import('@grpc/grpc-js')
await import('node:sqlite')
await import('../../inet/address.ts')

const client = pathToFileURL(process.argv[2] ?? '').href
const before = process.memoryUsage.rss()
const started = performance.now()
await import(client)
const milliseconds = performance.now() - started
console.log(JSON.stringify({ milliseconds, bytes: process.memoryUsage.rss() - before }))
