/** The configuration that makes the container runtime call Terway. */
import { join } from 'node:path'
import type { Logger } from 'pino'
import { findCniBinary } from '../config/cni-binary.ts'
import { readCniTemplate } from '../config/cni-template.ts'
import { conflist, writeConflist } from '../config/conflist.ts'
import type { Flags } from '../config/flags.ts'

/** @throws ConfigError when the operator's keys for it cannot be used */
export function installConflist(flags: Flags, log: Logger): 'written' | 'unchanged' {
  const { content, warnings } = conflist({
    ...{ socket: flags.socket, spoolDirectory: join(flags.stateDir, 'spool') },
    template: readCniTemplate(flags.cniConfTemplate),
    findBinary: (type) => findCniBinary(flags.cniBinDir, type),
  })
  for (const warning of warnings) log.warn(warning)
  return writeConflist(flags.cniConfDir, content) ? 'written' : 'unchanged'
}
