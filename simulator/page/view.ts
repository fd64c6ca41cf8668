/** What the page shows: the region as it is at one moment. */

export interface PageView {
  readonly region: string
  readonly vpc: { readonly id: string; readonly cidrs: readonly string[] }
  /** RFC 3339, of the region's clock. */
  readonly time: string
  /** How many times as fast as real time that clock runs. */
  readonly speed: number
  /** Why the links are not as the cloud has them; undefined when they are. */
  readonly fabricFailure: string | undefined
  readonly vSwitches: readonly VSwitchView[]
  readonly routes: readonly RouteView[]
  readonly faults: readonly FaultView[]
  /** The newest first. */
  readonly calls: readonly CallView[]
}

export interface VSwitchView {
  readonly id: string
  readonly zone: string
  readonly cidrs: readonly string[]
  readonly freeIps: number
  readonly nodes: readonly NodeView[]
  /** Those on no instance. */
  readonly loose: readonly EniView[]
}

export interface NodeView {
  readonly name: string
  readonly instanceId: string
  readonly instanceType: string
  readonly status: string
  readonly enis: readonly EniView[]
}

export interface EniView {
  readonly id: string
  readonly type: string
  readonly status: string
  readonly mac: string
  /** Only where it is not the node's. */
  readonly vSwitch: string | undefined
  /** Of a member. */
  readonly trunk: { readonly id: string; readonly vlan: number } | undefined
  readonly securityGroups: readonly string[]
  readonly addresses: readonly AddressView[]
  /** Packets dropped, by reason; empty without a fabric. */
  readonly dropped: readonly (readonly [reason: string, packets: number])[]
}

export interface AddressView {
  readonly address: string
  /** The link that the node routes the address to; undefined when no pod has it. */
  readonly pod: string | undefined
}

export interface RouteView {
  readonly destination: string
  readonly nextHop: string
  readonly status: string
}

export interface FaultView {
  readonly id: string
  readonly what: string
  readonly hits: number
}

export interface CallView {
  readonly time: string
  readonly action: string
  readonly caller: string
  readonly code: string
  readonly milliseconds: number
  readonly requestId: string
}
