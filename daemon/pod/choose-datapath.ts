/** By which datapath a new interface of a pod is connected. Pure. */
import type { NetConf } from '../cni/netconf.ts'
import type { Datapath } from '../datapath/attachment.ts'
import type { EniRole } from '../pool/model.ts'

export interface DatapathQuestion {
  /** Of the ENI that carries the pod's addresses; undefined in VPC route mode, where none does. */
  readonly role: EniRole | undefined
  readonly conf: Pick<NetConf, 'virtualType' | 'vlanStripType'>
  /** Datapaths of the node's other pods whose packets go through the same link. */
  readonly present: ReadonlySet<Datapath>
}

/**
 * A pod of a member ENI gets the VLAN subinterface of its own, which needs nothing of the trunk but that it is up; with
 * `vlan_strip_type` "filter" its packets are tagged as they leave the trunk, and every tag is taken off what arrives
 * there. So the two cannot be on one trunk: pods that are there decide before the configuration does.
 */
export function chooseDatapath({ role, conf, present }: DatapathQuestion): Datapath {
  switch (role) {
    case undefined:
      return 'route'
    case 'exclusive':
      return 'exclusive'
    case 'member':
      if (present.has('vlan')) return 'vlan'
      return present.has('vlan-tag') || conf.vlanStripType === 'filter' ? 'vlan-tag' : 'vlan'
    case 'shared':
    case 'trunk':
      return conf.virtualType === 'ipvlan' ? 'ipvlan' : 'policy-route'
  }
}
