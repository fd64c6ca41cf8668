/** What the kernel says of kinds that none has. */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parseLinkName } from '../inet/link-name.ts'
import { TestNamespaces } from '../test/kernel/namespaces.ts'
import { cString, encode, encodeAttribute, formatLinkMessage, MessageType } from './codec.ts'
import { addVeth } from './link.ts'
import { NLM_F_CREATE, type Request } from './message.ts'
import { addQdisc } from './qdisc.ts'
import { NetlinkSocket } from './socket.ts'
import { CLSACT_PARENTS, TC_H_ROOT, tcRequest } from './tc-message.ts'
import { lacksTcKind } from './tc-support.ts'
import { encodeU32, keysOf } from './tc-u32.ts'

const NAME = parseLinkName('cali1')
const KIND = 'nosuch'

let spaces: TestNamespaces
let socket: NetlinkSocket

beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-lack-')
  socket = NetlinkSocket.open({ netns: spaces.create('host') })
  socket.execute([
    addVeth({ name: NAME, ifindex: 777, peer: { name: parseLinkName('eth0') } }),
    addQdisc({ kind: 'clsact', device: { netns: 'host', name: NAME, ifindex: 777 } }, 777),
  ])
})

afterEach(() => {
  socket.close()
  spaces[Symbol.dispose]()
})

const adding = (type: number) => ({ type, flags: NLM_F_CREATE, text: `add ${KIND}` })
/** Of priority 1 for all protocols: 0x0003 in network order. */
const FILTER = { ifindex: 777, parent: CLSACT_PARENTS.ingress, info: 0x1_0300 }
/** One action, of which there is only the name (TCA_ACT_KIND). */
const ACTIONS = encodeAttribute(1, encodeAttribute(1, cString(KIND)))
/** IFLA_INFO_KIND */
const LINK = { ifname: 'new', linkinfo: encodeAttribute(1, Buffer.from(KIND)) }

test.each<[string, Request, string]>([
  ['qdisc', tcRequest(adding(MessageType.NEWQDISC), { ifindex: 777, parent: TC_H_ROOT, kind: KIND }), 'ENOENT'],
  ['classifier', tcRequest(adding(MessageType.NEWTFILTER), { ...FILTER, kind: KIND }), 'ENOENT'],
  [
    'action',
    tcRequest(adding(MessageType.NEWTFILTER), {
      ...FILTER,
      kind: 'u32',
      options: encodeU32({ keys: keysOf({}), actions: ACTIONS }),
    }),
    'ENOENT',
  ],
  [
    'link',
    {
      ...adding(MessageType.NEWLINK),
      payload: encode((out) => formatLinkMessage({ kind: 'link', data: {}, attrs: LINK }, out)),
    },
    'EOPNOTSUPP',
  ],
])('an unknown kind of %s is lacking, and the kernel says why', (_, request, code) => {
  const [ack] = socket.request([request])
  expect(ack?.error).toMatchObject({ code, extack: expect.stringMatching(/./) })
  expect(ack?.error !== undefined && lacksTcKind(ack.error)).toBe(true)
})
