/**
 * The process of a node in the fault suite: takes orders, one at a time, until one of them is its end. The successor of a
 * killed process is the victim of the next case, so that a case costs one start of a process and not two.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { FaultNode } from './fault-node.ts'
import { ORDER, type Order, type Report } from './order.ts'
import { PodLinks } from './pod-links.ts'
import { type Scenario, type Stage, scenarioNamed } from './scenarios.ts'
import { Steps } from './steps.ts'

async function carryOut(order: Order): Promise<Report> {
  const scenario = scenarioNamed(order.scenario)
  if (order.task === 'go-on') return await goOn(order, scenario)
  await prepare(order, scenario)
  const steps = new Steps(order.death)
  using _watch = steps.watchRequests()
  const findings = await run(order, scenario.stages, steps)
  return { kind: 'done', findings, steps: [...steps.seen] }
}

async function prepare(order: Order, { before, forgets }: Scenario): Promise<void> {
  await run(order, before, new Steps())
  new PodLinks(order.directory).note({ what: 'stage', stage: 0 })
  if (forgets !== true) return
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(order.directory, `journal.db${suffix}`), { force: true })
}

async function goOn(order: Order, { stages }: Scenario): Promise<Report> {
  const begun = new PodLinks(order.directory).stage
  return { kind: 'done', findings: await run(order, stages, new Steps(), begun), steps: [] }
}

/** @returns what a comparison with the cloud has found in the end */
async function run(order: Order, stages: readonly Stage[], steps: Steps, begun = 0): Promise<string[]> {
  const first = stages[begun]
  if (first === undefined) return []
  const links = new PodLinks(order.directory)
  const node = await FaultNode.start(order, steps, first)
  for (const [index, stage] of stages.entries()) {
    if (index < begun) continue
    links.note({ what: 'stage', stage: index })
    await node.reach(stage)
  }
  const findings = await node.compare()
  await node.stop()
  return findings
}

function report(report: Report): void {
  process.send?.(report)
}

process.on('message', (message) => {
  carryOut(ORDER.parse(message)).then(report, (error: unknown) => {
    report({ kind: 'failed', why: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  })
})
// Whoever ordered has gone.
process.once('disconnect', () => process.exit())
report({ kind: 'ready' })
