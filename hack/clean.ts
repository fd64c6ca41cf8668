/** Removes the clusters whose owners were killed. One that was kept on purpose, or whose owner lives, stays. */
import { cleanLeftovers } from '../test/cluster/leftovers.ts'
import { orphans } from '../test/cluster/owner.ts'

for (const prefix of orphans()) {
  console.log(`removing ${prefix}`)
  await cleanLeftovers(prefix)
}
