/** The simulator's page in a real browser: what a person sees of the VPC, its nodes, ENIs, addresses and pods. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { type Simulator, startSimulator } from '../../simulator/simulator.ts'
import { ownPrefix } from '../simulator/prefix.ts'
import { testRegion } from '../simulator/region.ts'
import { send } from '../simulator/send.ts'
import { signedRequest } from '../simulator/sign-request.ts'

/** Undefined where there is none: not every system has a package of it. */
const BROWSER = ['chromium-headless-shell', 'chromium'].find((name) =>
  (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, name))),
)
/** Milliseconds; the browser starts in about one second. */
const PATIENCE = 60_000
const POD = 'cali0123456789a'

/** Not the synchronous one: the simulator is in this process. */
const run = promisify(execFile)

let simulator: Simulator
let scratch: string

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'terway-page-'))
  const fabricPrefix = await ownPrefix('page')
  simulator = await startSimulator({
    ...{ region: testRegion(), fabricPrefix, listen: { host: '127.0.0.1', port: 0 } },
    log: pino({ level: 'silent' }),
  })
})

afterAll(async () => {
  await simulator.stop()
  rmSync(scratch, { recursive: true, force: true })
})

/** The document as the browser has it once it is loaded; what else it does is up to the flags. */
async function browse(...flags: string[]): Promise<string> {
  const argv = ['--no-sandbox', '--disable-gpu', `--user-data-dir=${join(scratch, 'profile')}`, ...flags]
  if (BROWSER === undefined) throw new Error('there is no browser')
  const { stdout } = await run(BROWSER, [...argv, simulator.ready.api], { encoding: 'utf8', timeout: PATIENCE })
  return stdout
}

/** @returns the body of the answer. */
async function call(
  action: string,
  query: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, unknown>>> {
  const request = signedRequest({ action, query: { RegionId: 'cn-sim', ...query } })
  const { status, text } = await send(simulator.ready.api, request)
  expect([status, text]).toEqual([200, expect.any(String)])
  return JSON.parse(text)
}

/** Text of the document, tags and the style left out, one space between words. */
function textOf(dom: string): string {
  return dom
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
}

const inBrowser = BROWSER === undefined ? test.skip : test
const why = BROWSER === undefined ? ' (no Chromium on this machine)' : ''

inBrowser(
  `VPC, vSwitch, node, ENI, address, pod and the last calls, one inside the other${why}`,
  async () => {
    const created = await call('CreateNetworkInterface', {
      ...{ VSwitchId: 'vsw-sim-h', SecurityGroupId: 'sg-sim', SecondaryPrivateIpAddressCount: '1' },
    })
    const id = String(created.NetworkInterfaceId)
    await call('AttachNetworkInterface', { NetworkInterfaceId: id, InstanceId: 'i-sim-a' })
    const netns = simulator.ready.nodes[0]?.netns ?? ''
    await run('ip', ['-n', netns, 'link', 'add', POD, 'type', 'veth', 'peer', 'name', 'pod0'])
    await run('ip', ['-n', netns, 'link', 'set', POD, 'up'])
    await run('ip', ['-n', netns, 'route', 'add', '10.0.1.2/32', 'dev', POD])

    const dom = await browse('--dump-dom')
    const text = textOf(dom)
    const order = [
      'VPC vpc-sim',
      'vSwitch vsw-sim-h',
      'node-a Running',
      id,
      `10.0.1.2 ${POD}`,
      'vSwitch vsw-sim-i',
      'node-b',
    ]
    const places = order.map((piece) => text.indexOf(piece))
    expect(places).not.toContain(-1)
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(text).toMatch(/AttachNetworkInterface .*? OK .*CreateNetworkInterface .*? OK/)
    expect(dom).toContain(`<section class="eni" id="${id}">`)
  },
  2 * PATIENCE,
)

inBrowser(
  `it can be looked at${why}`,
  async () => {
    const picture = join(scratch, 'page.png')
    await browse(`--screenshot=${picture}`, '--window-size=1200,900')
    const png = readFileSync(picture)
    // PNG signature (RFC 2083, section 3.1), then the size of the picture.
    expect(png.subarray(1, 4).toString()).toBe('PNG')
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1200, 900])
  },
  2 * PATIENCE,
)

test('others are not offered a page: the API has the same address', async () => {
  const answer = await fetch(simulator.ready.api, { headers: { accept: 'application/json' } })
  expect(answer.headers.get('content-type')).toContain('application/json')
})
