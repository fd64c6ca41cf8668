/** The temporary keys of RAM roles that instances get from the metadata service. */
import { expirationText, type TemporaryKey, type TemporaryKeys } from '../api/temporary-keys.ts'
import type { InstanceId } from '../region/ids.ts'
import type { Node, RamRole } from '../region/region.ts'

/** New keys appear that long before the old ones expire, ms; both are valid then (ECS documentation, "RAM roles"). */
const OVERLAP = 30 * 60_000

export class RoleKeys {
  readonly #keys: TemporaryKeys
  readonly #now: () => number
  readonly #current = new Map<InstanceId, TemporaryKey>()

  /** @param now milliseconds since the epoch, of the region's clock. */
  constructor(keys: TemporaryKeys, now: () => number) {
    this.#keys = keys
    this.#now = now
  }

  /** The item of the metadata service, JSON. */
  item(node: Node, role: RamRole): string {
    const key = this.#keyOf(node, role)
    return JSON.stringify({
      AccessKeyId: key.id,
      AccessKeySecret: key.secret,
      SecurityToken: key.securityToken,
      Expiration: expirationText(key.expiresAt),
      LastUpdated: expirationText(key.issuedAt),
      Code: 'Success',
    })
  }

  #keyOf({ instanceId }: Node, role: RamRole): TemporaryKey {
    const current = this.#current.get(instanceId)
    // A life too short for the overlap is renewed at its middle.
    const overlap = Math.min(OVERLAP, (role.keyLife * 1000) / 2)
    const known = current !== undefined && this.#keys.find(current.id) !== undefined
    if (known && this.#now() < current.expiresAt - overlap) return current
    const issued = this.#keys.issue(role, { session: instanceId, life: role.keyLife })
    this.#current.set(instanceId, issued)
    return issued
  }
}
