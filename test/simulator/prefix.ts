/** Prefixes for simulators under test: several test runs may share a machine. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { deleteNamedNetns, listNamedNetns } from '../../netlink/netns.ts'
import { cleanFabric } from '../../simulator/fabric/fabric.ts'

const LEASES = '/run/terway-sim'

/** `tw-sim-<label>-<pid>`, where no other run interferes. What runs that died have left is removed. */
export async function ownPrefix(label: string): Promise<string> {
  const family = `tw-sim-${label}-`
  const isDead = (name: string) => {
    const pid = new RegExp(`^${family}(\\d+)`).exec(name)?.[1]
    return pid !== undefined && !existsSync(`/proc/${pid}`)
  }
  const leases = existsSync(LEASES) ? readdirSync(LEASES).filter(isDead) : []
  for (const file of leases) await cleanFabric(file.replace(/\.json$/, ''))
  for (const name of listNamedNetns(family).filter(isDead)) deleteNamedNetns(name)
  return `${family}${process.pid}`
}

/** Removes all that a simulator with the prefix, or a test beside it, may have left. Its process must have ended. */
export function removeByPrefix(prefix: string): void {
  for (const name of listNamedNetns(`${prefix}-`)) deleteNamedNetns(name)
  rmSync(`${LEASES}/${prefix}.json`, { force: true })
}
