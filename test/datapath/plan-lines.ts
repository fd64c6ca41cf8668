/** A plan as lines of text, one an object with all it has, for expected values that a reader can check. */
import type {
  DeviceRef,
  FilterAction,
  FilterSpec,
  LinkSpec,
  NetworkPlan,
  QdiscSpec,
  RouteSpec,
  RuleSpec,
  SysctlSpec,
} from '../../netlink/plan.ts'

const on = ({ netns, name, ifindex }: DeviceRef): string => `${netns} ${name}#${ifindex}`

/** `name` and the value where there is one; a flag is its name. */
function option(name: string, value: string | number | boolean | undefined): string {
  if (value === undefined) return ''
  return value === true ? ` ${name}` : ` ${name} ${value}`
}

function linkLine(link: LinkSpec): string {
  const start = `link ${on(link)} ${link.kind}`
  const mtu = option('mtu', link.mtu)
  switch (link.kind) {
    case 'existing':
    case 'ifb':
      return `${start}${mtu}`
    case 'veth': {
      const { name, ifindex, mac, mtu: peerMtu } = link.peer
      return `${start} ${link.mac}${mtu} peer ${name}#${ifindex} ${mac} mtu ${peerMtu}`
    }
    case 'ipvlan':
      return `${start} of ${on(link.parent)}${mtu}${option('noarp', link.noArp)}`
    case 'vlan':
      return `${start} ${link.vlanId} of ${on(link.parent)} ${link.mac}${mtu}`
    case 'moved':
      return `${start} ${link.mac}${mtu} home ${link.home.name}#${link.home.ifindex}`
  }
}

const sysctlLine = ({ netns, key, value, want, optional }: SysctlSpec): string =>
  `sysctl ${netns} ${key.join('.')} ${want === 'at-least' ? '>=' : '='} ${value}${option('optional', optional)}`

function routeLine({ device, destination, gateway, onlink, table, scope, source, type }: RouteSpec): string {
  const via = `${option('via', gateway)}${option('onlink', onlink)}`
  return `route ${on(device)} ${type === undefined ? '' : `${type} `}${destination}${via} table ${table} scope ${scope}${option('src', source)}`
}

function ruleLine(rule: RuleSpec): string {
  const { netns, family, priority, source, destination, inputDevice, outputDevice, mark, table, protocol } = rule
  const selectors = [
    option('from', source),
    option('to', destination),
    option('iif', inputDevice),
    option('oif', outputDevice),
    option('fwmark', mark && `0x${mark.value.toString(16)}/0x${mark.mask.toString(16)}`),
  ]
  return `rule ${netns} ${family} ${priority}:${selectors.join('')} lookup ${table}${option('proto', protocol)}`
}

function qdiscLine(qdisc: QdiscSpec): string {
  const shape = qdisc.kind === 'tbf' ? ` rate ${qdisc.rate} burst ${qdisc.burst} limit ${qdisc.limit}` : ''
  return `qdisc ${on(qdisc.device)} ${qdisc.kind}${shape}`
}

function actionText(action: FilterAction): string {
  if (action.kind === 'redirect') return `redirect ${on(action.to)} ${action.direction}`
  return action.kind === 'vlan-push' ? `vlan-push ${action.vlanId}` : action.kind
}

function filterLine({ device, direction, priority, protocol, source, destination, actions, band }: FilterSpec): string {
  const match = `${option('from', source)}${option('to', destination)}${option('band', band)}`
  const then = actions.map((action) => ` > ${actionText(action)}`).join('')
  return `filter ${on(device)} ${direction} ${priority} ${protocol}${match}${then}`
}

export function planLines(plan: NetworkPlan): string[] {
  return [
    ...(plan.podNetns === undefined ? [] : [`pod ${plan.podNetns}`]),
    ...plan.links.map(linkLine),
    ...plan.sysctls.map(sysctlLine),
    ...plan.addresses.map((spec) => `address ${on(spec.device)} ${spec.address}/${spec.prefixLength} ${spec.scope}`),
    ...plan.neighbours.map((spec) => `neighbour ${on(spec.device)} ${spec.address} ${spec.mac}`),
    ...plan.routes.map(routeLine),
    ...plan.rules.map(ruleLine),
    ...plan.qdiscs.map(qdiscLine),
    ...plan.filters.map(filterLine),
    ...plan.marks.map(({ netns, source, mark }) => `mark ${netns} ${source} 0x${mark.toString(16)}`),
  ]
}
