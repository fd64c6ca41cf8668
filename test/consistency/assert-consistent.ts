/** After every scenario: journal = pool = cloud = kernel. */
import { isSettling, violations } from './violations.ts'
import { type ObservedCluster, observe } from './world.ts'

/** What is under way gets this long to end, ms: an ENI that is made or removed takes a second or two. */
const SETTLE = 15_000
const PAUSE = 100

/** @throws Error that lists every violation of the invariants. */
export async function assertConsistent(cluster: ObservedCluster): Promise<void> {
  const deadline = performance.now() + SETTLE
  for (;;) {
    const world = await observe(cluster)
    const found = violations(world)
    if (found.length === 0 && !isSettling(world)) return
    if (performance.now() > deadline) {
      const unsettled = isSettling(world) ? ['something is still under way and does not end'] : []
      throw new Error(`inconsistent:\n${[...found, ...unsettled].map((text) => `  - ${text}`).join('\n')}`)
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
  }
}
