/** Links of ENIs without a kernel: there as soon as the cloud says InUse. */
import type { EniLinks } from '../../daemon/pool/effects.ts'
import { parseLinkName } from '../../inet/link-name.ts'

export const MADE_UP_LINKS: EniLinks = {
  find: () => ({ name: parseLinkName('eth1'), ifindex: 7 }),
  program: () => undefined,
  clear: async () => undefined,
}
