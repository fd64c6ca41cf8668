/** Reads metrics in the namespace of the daemon: for each line of standard input, a URL as JSON, the text as JSON. */
import { createInterface } from 'node:readline'

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await fetch(JSON.parse(line))
  process.stdout.write(`${JSON.stringify(await answer.text())}\n`)
}
