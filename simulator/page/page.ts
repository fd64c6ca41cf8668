/** The read-only page of the simulator: one document, no script. */
import { html, type Markup } from './markup.ts'
import type { CallView, EniView, NodeView, PageView, VSwitchView } from './view.ts'

/** The browser asks again after this, s. */
const REFRESH = 3

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #777; --good: #2a8; --bad: #c43; --busy: #c80; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.25rem; margin: 0; } h2 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p { margin: .25rem 0; } code, td, .mono { font-family: ui-monospace, monospace; font-size: .92em; }
section { border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; margin: .6rem 0; }
section > section { margin-left: 1rem; } .soft { color: var(--soft); } .bad { color: var(--bad); }
ul.addresses { list-style: none; margin: .2rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem; }
ul.addresses li { border: 1px solid var(--line); border-radius: 4px; padding: 0 .4rem; }
ul.addresses li.pod { border-color: var(--good); }
.status { border-radius: 4px; padding: 0 .4rem; border: 1px solid var(--line); }
.InUse, .Running, .Available, .OK { color: var(--good); } .Attaching, .Detaching, .Deleting, .Creating { color: var(--busy); }
table { border-collapse: collapse; width: 100%; } th { text-align: left; font-weight: 600; }
td, th { padding: .15rem .6rem .15rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
td.number, th.number { text-align: right; } .scroll { overflow-x: auto; }
`

/** @returns the whole document. */
export function renderPage(view: PageView): string {
  const speed = view.speed === 1 ? '' : `, ${view.speed} times as fast as real time`
  const body = html`
    <header>
      <h1>${view.region} <span class="soft">terway-sim</span></h1>
      <p class="soft">${view.time}${speed}</p>
      ${view.fabricFailure === undefined ? '' : html`<p class="bad">The links are behind: ${view.fabricFailure}</p>`}
    </header>
    <h2>VPC <code>${view.vpc.id}</code> <span class="soft">${view.vpc.cidrs.join(', ')}</span></h2>
    ${view.vSwitches.map(vSwitchMarkup)}
    ${view.routes.length === 0 ? '' : routesMarkup(view)}
    ${view.faults.length === 0 ? '' : faultsMarkup(view)}
    <h2>Last calls</h2>
    ${view.calls.length === 0 ? html`<p class="soft">none yet</p>` : callsMarkup(view.calls)}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="${REFRESH}">
<title>${html`${view.region}`.text} - terway-sim</title>
<style>${STYLE}</style>
</head>
<body>${body.text}
</body>
</html>
`
}

function vSwitchMarkup(vSwitch: VSwitchView): Markup {
  return html`
    <section class="vswitch" id="${vSwitch.id}">
      <p><strong>vSwitch <code>${vSwitch.id}</code></strong>
        <span class="soft">${vSwitch.zone}, ${vSwitch.cidrs.join(', ')}, ${vSwitch.freeIps} free</span></p>
      ${vSwitch.nodes.map(nodeMarkup)}
      ${vSwitch.loose.length === 0 ? '' : html`<p class="soft">on no instance</p>${vSwitch.loose.map(eniMarkup)}`}
    </section>`
}

function nodeMarkup(node: NodeView): Markup {
  return html`
    <section class="node" id="${node.instanceId}">
      <p><strong>${node.name}</strong> ${statusMarkup(node.status)}
        <span class="soft">${node.instanceId}, ${node.instanceType}</span></p>
      ${node.enis.map(eniMarkup)}
    </section>`
}

function eniMarkup(eni: EniView): Markup {
  const dropped = eni.dropped.filter(([, packets]) => packets > 0).map(([reason, packets]) => `${reason} ${packets}`)
  const notes = [
    eni.mac,
    ...(eni.vSwitch === undefined ? [] : [eni.vSwitch]),
    ...(eni.trunk === undefined ? [] : [`VLAN ${eni.trunk.vlan} on ${eni.trunk.id}`]),
    ...eni.securityGroups,
  ]
  return html`
    <section class="eni" id="${eni.id}">
      <p><code>${eni.id}</code> ${eni.type} ${statusMarkup(eni.status)}
        <span class="soft mono">${notes.join(', ')}</span>
        ${dropped.length === 0 ? '' : html`<span class="bad">dropped: ${dropped.join(', ')}</span>`}</p>
      <ul class="addresses mono">${eni.addresses.map(({ address, pod }) =>
        pod === undefined
          ? html`<li>${address}</li>`
          : html`<li class="pod">${address} <span class="soft">${pod}</span></li>`,
      )}</ul>
    </section>`
}

function statusMarkup(status: string): Markup {
  return html`<span class="status ${status}">${status}</span>`
}

function routesMarkup({ routes }: PageView): Markup {
  const rows = routes.map(
    (route) =>
      html`<tr><td>${route.destination}</td><td>${route.nextHop}</td><td>${statusMarkup(route.status)}</td></tr>`,
  )
  return html`<h2>Routes</h2><table><tr><th>destination</th><th>next hop</th><th>status</th></tr>${rows}</table>`
}

function faultsMarkup({ faults }: PageView): Markup {
  const rows = faults.map(
    (fault) => html`<tr><td>${fault.id}</td><td>${fault.what}</td><td class="number">${fault.hits}</td></tr>`,
  )
  return html`<h2>Faults</h2><div class="scroll"><table>
    <tr><th>id</th><th>fault</th><th class="number">hits</th></tr>${rows}</table></div>`
}

function callsMarkup(calls: readonly CallView[]): Markup {
  const rows = calls.map(
    (call) => html`<tr><td>${call.time}</td><td>${call.action}</td><td>${call.caller}</td>
      <td class="${call.code === 'OK' ? 'OK' : 'bad'}">${call.code}</td>
      <td class="number">${call.milliseconds}</td><td class="soft">${call.requestId}</td></tr>`,
  )
  return html`<div class="scroll"><table class="calls">
    <tr><th>time</th><th>action</th><th>caller</th><th>code</th><th class="number">ms</th><th>RequestId</th></tr>
    ${rows}</table></div>`
}
