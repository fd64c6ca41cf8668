/** The limits of the pool as they are now: of eni_conf and the instance type, and of the node's annotations. */
import type { Logger } from 'pino'
import type { InstanceType } from '../../cloud/instance/instance-type.ts'
import type { NodeInputs } from '../kube/node-inputs.ts'
import type { PoolReports } from '../pool/report/reports.ts'
import type { PoolLimits } from '../pool/settings.ts'
import { limitsOf, shortfalls } from './cloud.ts'
import type { EniConf } from './eni-conf.ts'
import { type NodeOverrides, nodeOverrides } from './node-overrides.ts'

export interface LiveLimitsOptions {
  readonly conf: EniConf
  /** Looked up at each use, since the cloud may answer late. */
  readonly type: () => InstanceType
  readonly inputs: NodeInputs
  readonly log: Logger
  readonly reports: Pick<PoolReports, 'event'>
  /** ms since the epoch */
  readonly now: () => number
}

export class LiveLimits {
  readonly #options: LiveLimitsOptions
  #overrides: NodeOverrides['overrides'] = {}
  #made: { readonly type: InstanceType; readonly limits: PoolLimits } | undefined

  /** @param changed called when the limits are others than before */
  constructor(options: LiveLimitsOptions, changed: () => void) {
    this.#options = options
    this.#read()
    options.inputs.onChange(() => {
      this.#read()
      changed()
    })
  }

  get current(): PoolLimits {
    const type = this.#options.type()
    if (this.#made?.type !== type) this.#made = { type, limits: this.#limitsOf(type) }
    return this.#made.limits
  }

  #limitsOf(type: InstanceType): PoolLimits {
    const { conf, log } = this.#options
    for (const shortfall of shortfalls(conf, type, this.#overrides)) log.warn({ type: type.id }, shortfall)
    return limitsOf(conf, type, this.#overrides)
  }

  #read(): void {
    const { conf, inputs, log, reports, now } = this.#options
    const { overrides, problems } = nodeOverrides(inputs.annotations, conf.pool)
    for (const problem of problems) {
      const message = `annotations of the node: ${problem}`
      log.warn(message)
      reports.event({ time: now(), level: 'warning', reason: 'ConfigError', message })
    }
    this.#overrides = overrides
    this.#made = undefined
  }
}
