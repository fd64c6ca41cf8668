/** From a decision to make an ENI to the record that its creation is carried out by. */
import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Priority } from '../../cloud/budget/priority.ts'
import type { InstanceId, SecurityGroupId } from '../../cloud/ids.ts'
import type { VSwitch } from '../../cloud/vpc/vswitch-actions.ts'
import type { VSwitches } from '../../cloud/vswitch/vswitches.ts'
import type { Creation } from './creation.ts'
import { ipv4Taken, newAddresses, reducedTo } from './creation.ts'
import type { CreatingEni, EniKey } from './model.ts'
import type { Refusal } from './refusal.ts'
import { shortageOf } from './report/exhaustion.ts'
import { CLUSTER_TAG, CREATOR_TAG, INTENT_TAG, NODE_TAG } from './tags.ts'

export interface CreationsOptions {
  readonly vSwitches: VSwitches
  readonly instanceId: InstanceId
  /** Looked up at each use, since the cloud may tell later. */
  readonly securityGroupIds: readonly SecurityGroupId[]
  /** Of the configuration, added to every ENI. */
  readonly tags: Readonly<Record<string, string>>
  readonly clusterId?: string | undefined
  readonly now: () => number
  readonly log: Logger
  readonly priority: () => Priority
  /** Journals the intent. */
  readonly decided: (record: CreatingEni) => void
  readonly refusal: Refusal
  /** Called when a vSwitch has been chosen, or there is none. */
  readonly ended: () => void
}

/** Pause after a refusal that only an operator can lift, ms. */
const REFUSAL_PAUSE = 60_000
/** Pause after the vSwitches could not be looked up, ms. */
const CHOICE_PAUSE = 10_000
/** NetworkInterfaceName allows 128 characters. */
const LONGEST_NAME = 128

export class Creations {
  readonly #options: CreationsOptions
  #choosing = 0

  constructor(options: CreationsOptions) {
    this.#options = options
  }

  /** How many are still choosing their vSwitch and so are not in the state yet. */
  get choosing(): number {
    return this.#choosing
  }

  /** Chooses a vSwitch and has the intent recorded. Never rejects. */
  async begin(creation: Creation): Promise<void> {
    const { vSwitches, priority, decided, refusal, ended, log } = this.#options
    this.#choosing++
    try {
      const wanted = newAddresses(creation)
      const vSwitch = await vSwitches.choose(ipv4Taken(wanted), priority())
      if (vSwitch !== undefined) decided(this.#record(creation, vSwitch))
      else refusal.noteShortage(shortageOf({ kind: 'no-vswitch', empty: [...vSwitches.empty] }), REFUSAL_PAUSE)
    } catch (error) {
      log.warn({ err: error }, 'cannot choose a vSwitch')
      refusal.note(error, CHOICE_PAUSE)
    } finally {
      this.#choosing--
      ended()
    }
  }

  #record(creation: Creation, { id, cidr, ipv6Cidr, availableIps }: VSwitch): CreatingEni {
    const { instanceId, tags, clusterId, securityGroupIds, now } = this.#options
    const key = newEniKey()
    const own = { [CREATOR_TAG.key]: CREATOR_TAG.value, [NODE_TAG]: instanceId, [INTENT_TAG]: key }
    const cluster = clusterId === undefined ? {} : { [CLUSTER_TAG]: clusterId }
    return {
      ...{ phase: 'creating', key, role: creation.role, vSwitchId: id, cidr, since: now() },
      ...(ipv6Cidr === undefined ? {} : { cidr6: ipv6Cidr }),
      request: {
        ...{ vSwitchId: id, securityGroupIds, ...reducedTo(newAddresses(creation), availableIps) },
        ...(creation.role === 'trunk' ? { type: 'Trunk' as const } : {}),
        tags: { ...tags, ...cluster, ...own },
        name: `terway-${instanceId}`.slice(0, LONGEST_NAME),
        clientToken: key,
      },
    }
  }
}

export function newEniKey(): EniKey {
  return randomUUID() as EniKey
}
