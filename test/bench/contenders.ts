/**
 * What a user could pick instead and is at hand, for the same work: a link, an address, routes. All are called with the
 * same arguments by the same process.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cniEnvironment } from '../cluster/cni.ts'
import type { Exec } from './exec/protocol.ts'
import type { BenchNode } from './node/bench-node.ts'
import type { Sandbox } from './node/sandbox.ts'

/** Of Debian's containernetworking-plugins. */
const PLUGINS = '/usr/lib/cni'

export interface Contender {
  readonly name: string
  /** Of the bench lines. */
  readonly lines: string
  exec(verb: 'ADD' | 'DEL', pod: Sandbox): Exec
}

export const PEERS = ['ptp', 'bridge'] as const
type Peer = (typeof PEERS)[number]

/** Terway first; no others when they are not installed. */
export function contenders(node: BenchNode): readonly [Contender, ...Contender[]] {
  const terway = { name: 'terway', lines: 'cni', exec: (verb: 'ADD' | 'DEL', pod: Sandbox) => node.exec(verb, pod) }
  const peers = PEERS.filter((name) => existsSync(join(PLUGINS, name)))
  return [terway, ...peers.map((name) => peer(name, join(node.directory, 'ipam')))]
}

/** @param dataDir where host-local keeps who has which address */
function peer(name: Peer, dataDir: string): Contender {
  const config = JSON.stringify({ cniVersion: '1.0.0', name: `bench-${name}`, type: name, ...KEYS[name](dataDir) })
  return {
    ...{ name, lines: `peer.${name}` },
    exec: (verb, pod) => ({
      argv: [join(PLUGINS, name)],
      env: { ...cniEnvironment({ ...pod, verb }), CNI_PATH: PLUGINS },
      stdin: config,
    }),
  }
}

const KEYS: Readonly<Record<Peer, (dataDir: string) => object>> = {
  ptp: (dataDir) => ({ ipam: hostLocal('10.88.0.0/16', dataDir) }),
  bridge: (dataDir) => ({ bridge: 'cni0', isGateway: true, ipam: hostLocal('10.89.0.0/16', dataDir) }),
}

function hostLocal(subnet: string, dataDir: string): object {
  return { type: 'host-local', ranges: [[{ subnet }]], routes: [{ dst: '0.0.0.0/0' }], dataDir }
}
