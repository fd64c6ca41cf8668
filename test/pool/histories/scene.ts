/** What a scene stands for: a region with one node, and the limits of the node's pool. */
import { type PoolLimits, poolLimits } from '../../../daemon/pool/settings.ts'
import type { Family } from '../../../inet/address.ts'
import type { Region } from '../../../simulator/region/region.ts'
import { testRegion } from '../../simulator/region.ts'
import { KIND_OF, type Mode, type Scene, type Size } from './history.ts'

interface InstanceSize {
  /** ENIs, the primary one included, and with the members of a trunk. */
  readonly eniQuantity: number
  readonly eniTotalQuantity: number
  /** Of an ENI, of each family. */
  readonly addresses: number
}

const SIZES: Readonly<Record<Size, InstanceSize>> = {
  tiny: { eniQuantity: 3, eniTotalQuantity: 6, addresses: 4 },
  small: { eniQuantity: 4, eniTotalQuantity: 12, addresses: 8 },
  large: { eniQuantity: 8, eniTotalQuantity: 20, addresses: 15 },
}

const known = new Map<string, Region>()

/** With the latencies of the real cloud. Reading one takes as long as playing in it, so they are kept. */
export function regionOf({ size, vSwitches }: Pick<Scene, 'size' | 'vSwitches'>): Region {
  const name = `${size} ${vSwitches}`
  const region = known.get(name) ?? newRegion(SIZES[size], vSwitches)
  known.set(name, region)
  return region
}

function newRegion({ eniQuantity, eniTotalQuantity, addresses }: InstanceSize, vSwitches: readonly number[]): Region {
  const instanceType = 'ecs.sim.large'
  return testRegion({
    latencies: {},
    vpc: { id: 'vpc-sim', cidr: '10.0.0.0/16', ipv6Cidr: '2001:db8:0:1a00::/56' },
    vSwitches: [...vSwitches.map(vSwitch), HOME],
    nodes: [{ name: 'node-a', instanceId: 'i-sim-a', instanceType, vSwitch: HOME.id, primaryIp: '10.0.0.10' }],
    instanceTypes: [
      {
        ...{ id: instanceType, cpuCores: 4, memoryGiB: 16, eniQuantity, eniTotalQuantity, trunkSupported: true },
        ...{ ipv4PerEni: addresses, ipv6PerEni: addresses },
      },
    ],
  })
}

/** Of the node itself; the last one that pods' ENIs are made in. */
export const HOME = { id: 'vsw-sim-home', zone: 'cn-sim-h', cidr: '10.0.0.0/28', ipv6Cidr: '2001:db8:0:1a00::/64' }

function vSwitch(length: number, index: number) {
  const number = index + 1
  return {
    ...{ id: `vsw-sim-${number}`, zone: 'cn-sim-h', cidr: `10.0.${number}.0/${length}` },
    ipv6Cidr: `2001:db8:0:1a0${number}::/64`,
  }
}

function familiesOf(mode: Mode): readonly Family[] {
  if (mode === 'ipv6') return ['ipv6']
  return mode.startsWith('dual') ? ['ipv4', 'ipv6'] : ['ipv4']
}

const OF_PREFIXES: readonly Mode[] = ['prefix', 'dual prefix']

export function limitsOf({ mode, size, sizing, more }: Scene): PoolLimits {
  return poolLimits({
    ...{ kind: KIND_OF[mode], families: familiesOf(mode) },
    ...{ unit: OF_PREFIXES.includes(mode) ? 'prefix' : 'address', maxEnis: mostEnis({ mode, size }) },
    ...{ addressesPerEni: KIND_OF[mode] === 'shared' ? SIZES[size].addresses : 1 },
    ...sizing,
    ...more,
  })
}

/** ENIs for pods that the instance type allows. */
export function mostEnis({ mode, size }: Pick<Scene, 'mode' | 'size'>): number {
  const { eniQuantity, eniTotalQuantity } = SIZES[size]
  return mode === 'member' ? eniTotalQuantity - eniQuantity : eniQuantity - 1
}
