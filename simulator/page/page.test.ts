import { expect, test } from '@jest/globals'
import { html } from './markup.ts'
import { renderPage } from './page.ts'
import type { EniView, PageView } from './view.ts'

const ENI: EniView = {
  id: 'eni-sim00000002',
  type: 'Secondary',
  status: 'InUse',
  mac: '00:16:3e:00:00:02',
  vSwitch: undefined,
  trunk: undefined,
  securityGroups: ['sg-sim'],
  addresses: [
    { address: '10.0.1.11', pod: 'cali0123456789a' },
    { address: '10.0.1.12', pod: undefined },
  ],
  dropped: [
    ['source', 3],
    ['ingress', 0],
  ],
}
const VIEW: PageView = {
  region: 'cn-sim',
  vpc: { id: 'vpc-sim', cidrs: ['10.0.0.0/16'] },
  time: '2026-01-01T00:00:00Z',
  speed: 1,
  fabricFailure: undefined,
  vSwitches: [
    {
      id: 'vsw-sim-h',
      zone: 'cn-sim-h',
      cidrs: ['10.0.1.0/24'],
      freeIps: 250,
      nodes: [{ name: 'node-a', instanceId: 'i-sim-a', instanceType: 'ecs.g7.xlarge', status: 'Running', enis: [ENI] }],
      loose: [],
    },
  ],
  routes: [],
  faults: [],
  calls: [],
}

test('text is escaped, markup is not, lists of markup are joined', () => {
  const inner = html`<b>${'<&>"\''}</b>`
  expect(html`<p class="${'" x="'}">${inner}${[html`1`, html`2`]}${3}</p>`.text).toBe(
    '<p class="&quot; x=&quot;"><b>&lt;&amp;&gt;&quot;&#39;</b>123</p>',
  )
})

test('what a client can name cannot become markup', () => {
  const hostile = '<script>alert(1)</script>'
  const eni = { ...ENI, securityGroups: [hostile], addresses: [{ address: hostile, pod: hostile }] }
  const [vSwitch] = VIEW.vSwitches
  const call = { time: '', action: hostile, caller: hostile, code: hostile, milliseconds: 1, requestId: hostile }
  const page = renderPage({
    ...VIEW,
    region: hostile,
    fabricFailure: hostile,
    vSwitches: vSwitch === undefined ? [] : [{ ...vSwitch, loose: [eni] }],
    faults: [{ id: hostile, what: hostile, hits: 1 }],
    routes: [{ destination: hostile, nextHop: hostile, status: hostile }],
    calls: [call],
  })
  expect(page).not.toContain('<script')
  expect(page.split('&lt;script&gt;').length - 1).toBeGreaterThanOrEqual(12)
})

test('only drops that happened are shown, and where an ENI is elsewhere', () => {
  expect(renderPage(VIEW)).toContain('dropped: source 3</span>')
  const [vSwitch] = VIEW.vSwitches
  const member = { ...ENI, type: 'Member', vSwitch: 'vsw-pods', trunk: { id: 'eni-sim00000001', vlan: 7 } }
  const loose = { ...VIEW, vSwitches: vSwitch === undefined ? [] : [{ ...vSwitch, loose: [member] }] }
  expect(renderPage(loose)).toContain('vsw-pods, VLAN 7 on eni-sim00000001, sg-sim')
  expect(renderPage(loose)).toContain('on no instance')
})
