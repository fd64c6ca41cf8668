/** What is started beside a CNI plugin, to tell what starting anything takes. */
import { join } from 'node:path'
import { PLUGIN } from '../../cluster/cni.ts'
import { DIST } from '../../cluster/directory.ts'
import type { Exec } from './protocol.ts'

const PATH = process.env.PATH ?? ''

/** The floor of every figure that has a process in it. */
export const TRUE: Exec = { argv: ['/bin/true'], env: { PATH }, stdin: '' }

const NOTHING = join(import.meta.dirname, 'nothing.cjs')

/** The Node that runs the benchmark, as npm has it: what the budget compares with. */
export const BARE_NODE: Exec = { argv: [process.execPath, NOTHING], env: { PATH }, stdin: '' }

/** The same without its symbols, as it is packed and as it runs the daemon. */
export const STRIPPED_NODE: Exec = {
  argv: [join(DIST, `linux-${process.arch}`, 'node'), NOTHING],
  ...{ env: { PATH }, stdin: '' },
}

export const TERWAY_VERSION: Exec = { argv: [PLUGIN], env: { PATH, CNI_COMMAND: 'VERSION' }, stdin: '' }
