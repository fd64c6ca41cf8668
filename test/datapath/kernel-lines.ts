/**
 * What is in a namespace as lines of text, one an object, as iproute2, tc and nft tell of it: the reader that knows
 * nothing of plans. Left out is what the kernel does by itself for every link and address: link-local addresses and the
 * routes to them, those of multicast, and the table `local`.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Netns, withNetns } from '../../netlink/netns.ts'

type Json = Readonly<Record<string, unknown>>

/** A process begun in a namespace stays there: no `ip netns exec`, which takes a second one. */
function output(netns: Netns, command: readonly string[], input = ''): string {
  const [file = '', ...args] = command
  return withNetns(netns, () => execFileSync(file, args, { encoding: 'utf8', input, stdio: 'pipe' }))
}

/** One process for several questions, since starting one takes long in the guest. */
function ask(netns: Netns, program: readonly string[], questions: readonly string[]): Json[][] {
  const text = output(netns, [...program, '-j', '-batch', '-'], questions.join('\n'))
  const answers = text.split('\n').filter((line) => line !== '')
  return questions.map((_, index) => JSON.parse(answers[index] ?? '[]'))
}

const word = (name: string, value: unknown): string => (value === undefined ? '' : ` ${name} ${value}`)
const prefix = (address: unknown, length: unknown): string => `${address}${length === undefined ? '' : `/${length}`}`

/** Of an intermediate device the MAC address is random and means nothing. */
function linkLine({ ifindex, ifname, mtu, address, flags, link, link_index, linkinfo }: Json): string {
  const { info_kind: kind, info_data: data } = (linkinfo ?? {}) as Json
  const { id, mode } = (data ?? {}) as Json
  const below = link ?? (link_index === undefined ? undefined : `#${link_index}`)
  const is = (flag: string) => (flags as string[]).includes(flag)
  const end = `mtu ${mtu}${kind === 'ipvlan' && is('NOARP') ? ' noarp' : ''} ${is('UP') ? 'up' : 'down'}`
  const own = `${kind ?? 'loopback'}${word('id', id)}${word('mode', mode)}${word('of', below)}`
  return `link ${ifname}#${ifindex} ${own}${kind === 'ifb' ? '' : ` ${address}`} ${end}`
}

function addressLines({ ifname, addr_info }: Json): string[] {
  return (addr_info as Json[])
    .filter(({ local }) => !String(local).startsWith('fe80:'))
    .map(({ local, prefixlen, scope, dynamic }) => {
      return `address ${ifname} ${local}/${prefixlen} ${scope}${dynamic === true ? ' dynamic' : ''}`
    })
}

const isKernels = ({ table, dst, protocol, type }: Json): boolean =>
  table === 'local' || type === 'multicast' || (protocol === 'kernel' && dst === 'fe80::/64')

/** IPv6 gives every route a metric, 1024 unless told. */
function routeLine({ table, type, dst, gateway, dev, scope, prefsrc, flags, protocol, metric }: Json): string {
  const is = (flag: string) => (flags as string[]).includes(flag)
  return [
    `route ${table} ${type === 'unicast' ? '' : `${type} `}${dst}${word('via', gateway)}${word('dev', dev)}`,
    ...[scope === 'global' ? '' : word('scope', scope), word('src', prefsrc), is('onlink') ? ' onlink' : ''],
    ...[metric === 1024 ? '' : word('metric', metric)],
    ...[['static', 'boot'].includes(String(protocol)) ? '' : word('proto', protocol)],
  ].join('')
}

function ruleLine(
  family: string,
  { priority, src, srclen, dst, dstlen, iif, oif, fwmark, fwmask, table }: Json,
): string {
  const to = dst === undefined ? undefined : prefix(dst, dstlen)
  const mark = fwmark === undefined ? undefined : `${fwmark}/${fwmask}`
  const match = `from ${prefix(src, srclen)}${word('to', to)}${word('iif', iif)}${word('oif', oif)}${word('fwmark', mark)}`
  return `rule ${family} ${priority}: ${match} lookup ${table}`
}

function ipLines(netns: Netns): string[] {
  const views = ['address', 'neigh show nud permanent', 'route show table all', 'rule']
  const [links = [], neighbours = [], routes = [], rules = []] = ask(netns, ['ip', '-d'], views)
  const [rules6 = []] = ask(netns, ['ip', '-d', '-6'], ['rule'])
  return [
    ...links.map(linkLine),
    ...links.flatMap(addressLines),
    ...neighbours.map(({ dev, dst, lladdr }) => `neighbour ${dev} ${dst} ${lladdr}`),
    ...routes.filter((route) => !isKernels(route)).map(routeLine),
    ...rules.map((rule) => ruleLine('ipv4', rule)),
    ...rules6.map((rule) => ruleLine('ipv6', rule)),
  ]
}

/** Those that somebody made: the kernel's own have no handle. A burst is kept in ticks, so it is not exact. */
function qdiscLine({ kind, dev, options }: Json): string {
  const { rate, burst } = (options ?? {}) as Json
  const kib = burst === undefined ? undefined : `${Math.round(Number(burst) / 1024)}Ki`
  return `qdisc ${dev} ${kind}${word('rate', rate)}${word('burst', kib)}`
}

interface Place {
  readonly dev: string
  readonly where: string
}

/** Of one place, as tc prints them: of u32, its JSON has the same key several times. */
function filterLines({ dev, where }: Place, text: string): string[] {
  const [, ...filters] = text.split(/^filter /m)
  return filters.flatMap((filter) => {
    const [, protocol, priority, rest = ''] = /^(?:parent \S+ )?protocol (\S+) pref (\d+) u32 (.*)/s.exec(filter) ?? []
    if (!/ fh \w+::\w+ /.test(rest)) return [] // the priority itself, or its hash table
    const matches = [...rest.matchAll(/match (\S+) at (\S+)/g)].map(([, match, at]) => ` ${match}@${at}`)
    const actions = [...rest.matchAll(/action order \d+: (.*)/g)].map(([, action = '']) => ` > ${action.trim()}`)
    const [, band] = /flowid (\d\S*)/.exec(rest) ?? []
    const line = `filter ${dev} ${where} ${priority} ${protocol}${matches.join('')}${actions.join('')}${word('class', band)}`
    return [line.replace(/ {2,}/g, ' ')]
  })
}

function placesOn({ kind, dev, handle }: Json): Place[] {
  const where = kind === 'clsact' ? ['ingress', 'egress'] : kind === 'prio' ? [`parent ${handle}`] : []
  return where.map((place) => ({ dev: String(dev), where: place }))
}

function tcLines(netns: Netns): string[] {
  const [qdiscs = []] = ask(netns, ['tc'], ['qdisc'])
  const made = qdiscs.filter(({ handle }) => handle !== '0:')
  const places = made.flatMap(placesOn)
  if (places.length === 0) return made.map(qdiscLine)
  const questions = places.map(({ dev, where }) => `qdisc show dev ${dev}\nfilter show dev ${dev} ${where}`)
  const parts = output(netns, ['tc', '-batch', '-'], questions.join('\n')).split(/^qdisc .*\n/m)
  // A device's qdiscs, a line each, part its answer from the one before.
  let last = 0
  const filters = places.flatMap((place) => {
    last += qdiscs.filter(({ dev }) => dev === place.dev).length
    return filterLines(place, parts[last] ?? '')
  })
  return [...made.map(qdiscLine), ...filters]
}

/**
 * Of the node: in pods there is none of ours. Elements of maps one by one, everything else of a ruleset as it is but for
 * its handle.
 */
function nftLines(netns: Netns): string[] {
  const { nftables } = JSON.parse(output(netns, ['nft', '-j', 'list', 'ruleset'])) as { nftables: Json[] }
  return nftables.flatMap((entry) => {
    const [[kind, object] = []] = Object.entries(entry)
    if (kind === undefined || kind === 'metainfo') return []
    const { handle: _, elem = [], ...rest } = object as Json
    const elements = (elem as unknown[]).map((one) => `nft ${rest.name} element ${JSON.stringify(one)}`)
    return [`nft ${kind} ${JSON.stringify(rest)}`, ...elements]
  })
}

const SYSCTLS = { ipv4: ['forwarding', 'rp_filter'], ipv6: ['accept_ra', 'disable_ipv6', 'forwarding'] } as const

/** Those of the namespace, and of a link what differs from what links are born with. */
function sysctlLines(netns: Netns): string[] {
  return withNetns(netns, () =>
    (['ipv4', 'ipv6'] as const).flatMap((family) => {
      const conf = `/proc/sys/net/${family}/conf`
      const read = (link: string, name: string) => readFileSync(join(conf, link, name), 'utf8').trim()
      return readdirSync(conf).flatMap((link) =>
        SYSCTLS[family]
          .filter((name) => ['all', 'default'].includes(link) || read(link, name) !== read('default', name))
          .map((name) => `sysctl ${family} ${link} ${name} ${read(link, name)}`),
      )
    }),
  )
}

/** Sorted: the order in which the kernel lists links is that of their indexes, of other things that of their making. */
export function podLines(netns: Netns): string[] {
  return labelled('pod', [...ipLines(netns), ...tcLines(netns), ...sysctlLines(netns)])
}

export function nodeLines(netns: Netns): string[] {
  return labelled('node', [...ipLines(netns), ...tcLines(netns), ...nftLines(netns), ...sysctlLines(netns)])
}

const labelled = (name: string, lines: readonly string[]): string[] => lines.map((line) => `${name} ${line}`).sort()

/** What has come, and with a minus what has gone. */
export function changes(before: readonly string[], after: readonly string[]): string[] {
  return [...without(before, after).map((line) => `- ${line}`), ...without(after, before)].sort()
}

/** Each line as often as it is there. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others]
  return lines.filter((line) => {
    const index = left.indexOf(line)
    if (index !== -1) left.splice(index, 1)
    return index === -1
  })
}
