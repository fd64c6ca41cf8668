/** Which addresses pods of a node use: those that the node routes to a link of its own making. */
import { z } from 'zod'
import { run } from '../fabric/command.ts'

/** ip-route(8), `-json`. Some routes, like black holes, have no device. */
const ROUTES = z.array(z.object({ dst: z.string(), dev: z.string().optional(), type: z.string().optional() }))

/** Links that come with the instance: the ENIs and the loopback. */
const GUEST_LINK = /^(eth\d+|lo)$/

/** @returns names of links by address. Rejects with CommandError. */
export async function podsOf(netns: string): Promise<ReadonlyMap<string, string>> {
  const answers = await Promise.all(
    ['-4', '-6'].map((family) => run(['ip', '-n', netns, family, '-json', 'route', 'show', 'table', 'all'])),
  )
  return new Map(answers.flatMap((json) => podRoutes(json)))
}

/** @param json what ip-route(8) printed; nothing at all when there is no route. */
export function podRoutes(json: string): readonly (readonly [address: string, link: string])[] {
  const routes = ROUTES.parse(JSON.parse(json.trim() === '' ? '[]' : json))
  return routes.flatMap(({ dst, dev, type = 'unicast' }) =>
    // A route to one host is printed without a length.
    dev === undefined || type !== 'unicast' || GUEST_LINK.test(dev) || /[/]|default/.test(dst)
      ? []
      : [[dst, dev] as const],
  )
}
