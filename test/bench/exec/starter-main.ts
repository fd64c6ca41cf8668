/**
 * Starts processes as a container runtime does, and times them: a process of its own, which has loaded next to nothing,
 * so that every contender is started by the same. For each line of standard input (QUESTION) one of output (ANSWER).
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Exec, Run } from './protocol.ts'

async function run({ argv: [program, ...args], env, stdin }: Exec): Promise<Run> {
  const began = performance.now()
  const child = spawn(program, args, { env, stdio: 'pipe' })
  child.stdin.on('error', () => child.stdin.destroy()) // it may answer without reading (EPIPE)
  child.stdin.end(stdin)
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  return { began: performance.timeOrigin + began, took: performance.now() - began, status, ...output }
}

for await (const line of createInterface({ input: process.stdin })) {
  const execs: readonly Exec[] = JSON.parse(line)
  process.stdout.write(`${JSON.stringify(await Promise.all(execs.map(run)))}\n`)
}
