/**
 * A plot of latencies: the median of each series as a line, up to its 95th percentile as a band. Its colours are legible
 * on white and on black: whoever embeds a picture says nothing of its own background.
 */
import { linearScale, logScale, type Scale } from './scale.ts'
import { element, label, type Markup } from './svg.ts'

export interface PlotPoint {
  readonly x: number
  readonly p50: number
  readonly p95: number
}

export interface PlotSeries {
  readonly name: string
  /** Ascending by x. */
  readonly points: readonly PlotPoint[]
}

export interface Plot {
  readonly title: string
  /** `log` for values above 0; then the values themselves are the ticks. */
  readonly x: { readonly label: string; readonly scale: 'linear' | 'log' }
  readonly y: { readonly label: string }
  /** At most as many as there are colours. */
  readonly series: readonly PlotSeries[]
}

const [WIDTH, HEIGHT] = [720, 400]
const AREA = { left: 64, right: WIDTH - 24, top: 64, bottom: HEIGHT - 56 }
/** Contrast of at least 4 to white and to black. */
const INK = '#757d87'
/** Contrast of at least 3 to both. */
const COLOURS = ['#2f81f7', '#d9730d', '#8a63d2'] as const
const FONT = 'ui-sans-serif, system-ui, sans-serif'

export function plotSvg(plot: Plot): string {
  const [x, y] = scalesOf(plot)
  const drawn = plot.series.map((series, i) => drawSeries(series, { x, y, colour: COLOURS[i] ?? INK }))
  const size = { width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}` }
  const svg = element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', ...size, role: 'img', 'font-family': FONT, 'font-size': 13, fill: INK },
    element('title', {}, label(plot.title)),
    text({ x: AREA.left, y: 24, weight: 'bold' }, plot.title),
    ...legend(plot.series),
    ...axes(plot, x, y),
    ...drawn.flat(),
  )
  return `${svg.replaceAll('><', '>\n<')}\n`
}

function scalesOf({ x, series }: Plot): readonly [Scale, Scale] {
  const points = series.flatMap((one) => one.points)
  const values = [...new Set(points.map((point) => point.x))].sort((a, b) => a - b)
  const horizontal = [AREA.left, AREA.right] as const
  const across = x.scale === 'log' ? logScale(values, horizontal) : linearScale(Math.max(0, ...values), horizontal)
  return [across, linearScale(Math.max(0, ...points.map(({ p95 }) => p95)), [AREA.bottom, AREA.top])]
}

interface Drawing {
  readonly x: Scale
  readonly y: Scale
  readonly colour: string
}

function drawSeries({ points }: PlotSeries, { x, y, colour }: Drawing): Markup[] {
  const path = (among: readonly PlotPoint[], of: 'p50' | 'p95') =>
    among.map((point) => `${x.position(point.x).toFixed(1)},${y.position(point[of]).toFixed(1)}`)
  const line = path(points, 'p50')
  const band = [...path(points, 'p95'), ...path(points.toReversed(), 'p50')]
  return [
    element('polygon', { points: band.join(' '), fill: colour, 'fill-opacity': 0.22 }),
    element('polyline', { points: line.join(' '), fill: 'none', stroke: colour, 'stroke-width': 2 }),
    ...points.map((point) =>
      element('circle', { cx: x.position(point.x), cy: y.position(point.p50), r: 3, fill: colour }),
    ),
  ]
}

function axes({ x: { label: xLabel }, y: { label: yLabel } }: Plot, x: Scale, y: Scale): Markup[] {
  const { left, right, top, bottom } = AREA
  const middle = (top + bottom) / 2
  const turned = { x: 16, y: middle, anchor: 'middle', rotate: true } as const
  return [
    ...y.ticks.flatMap((tick) => {
      const at = y.position(tick)
      const grid = { x1: left, x2: right, y1: at, y2: at, stroke: INK, 'stroke-opacity': tick === 0 ? 1 : 0.25 }
      return [element('line', grid), text({ x: left - 8, y: at + 4, anchor: 'end' }, String(tick))]
    }),
    ...x.ticks.flatMap((tick) => {
      const at = x.position(tick)
      const mark = { x1: at, x2: at, y1: bottom, y2: bottom + 5, stroke: INK }
      return [element('line', mark), text({ x: at, y: bottom + 20, anchor: 'middle' }, String(tick))]
    }),
    text({ x: (left + right) / 2, y: bottom + 44, anchor: 'middle' }, xLabel),
    text(turned, yLabel),
  ]
}

/** Of the lines; what a band is, once. */
function legend(series: readonly PlotSeries[]): Markup[] {
  const wide = (AREA.right - AREA.left) / Math.max(1, series.length)
  return series.flatMap(({ name }, i) => {
    const left = AREA.left + i * wide
    const colour = COLOURS[i] ?? INK
    return [
      element('rect', { x: left, y: 35, width: 22, height: 10, fill: colour, 'fill-opacity': 0.22 }),
      element('line', { x1: left, x2: left + 22, y1: 45, y2: 45, stroke: colour, 'stroke-width': 2 }),
      text({ x: left + 30, y: 46 }, `${name}: p50 to p95`),
    ]
  })
}

interface TextPlace {
  readonly x: number
  readonly y: number
  readonly anchor?: 'start' | 'middle' | 'end'
  readonly weight?: 'bold'
  /** Read from below. */
  readonly rotate?: true
}

function text({ x, y, anchor = 'start', weight, rotate }: TextPlace, content: string): Markup {
  return element(
    'text',
    {
      ...{ x, y, 'text-anchor': anchor },
      ...(weight === undefined ? {} : { 'font-weight': weight }),
      ...(rotate === undefined ? {} : { transform: `rotate(-90 ${x} ${y})` }),
    },
    label(content),
  )
}
