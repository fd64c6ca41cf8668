import { expect, test } from '@jest/globals'
import { type Plot, plotSvg } from './plot.ts'

const PLOT: Plot = {
  title: 'A & B',
  x: { label: 'pods <n>', scale: 'linear' },
  y: { label: 'ms' },
  series: [
    {
      name: 'first',
      points: [
        { x: 0, p50: 10, p95: 20 },
        { x: 100, p50: 20, p95: 50 },
      ],
    },
    {
      name: 'second',
      points: [
        { x: 0, p50: 1, p95: 2 },
        { x: 100, p50: 2, p95: 3 },
      ],
    },
  ],
}

/** Elements that are opened and not closed, and the other way round. */
function unbalanced(svg: string): string[] {
  const open: string[] = []
  for (const [, closing, name = '', empty] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (closing === '/' && open.pop() !== name) return [name]
    if (closing === '' && empty === '') open.push(name)
  }
  return open
}

test('an SVG is well formed, names its axes and series, and has nothing of the names as markup', () => {
  const svg = plotSvg(PLOT)
  expect(unbalanced(svg)).toEqual([])
  for (const text of ['A &amp; B', 'pods &lt;n&gt;', 'first: p50 to p95', 'second: p50 to p95', '>ms<']) {
    expect(svg).toContain(text)
  }
})

test('the median is a line through the points and the band reaches from it to the 95th percentile', () => {
  const svg = plotSvg(PLOT)
  // 0 to 50 ms are the 280 pixels from 344 up to 64; 0 to 100 pods those from 64 to 696.
  expect(svg).toContain('<polyline points="64.0,288.0 696.0,232.0"')
  expect(svg).toContain('<polygon points="64.0,232.0 696.0,64.0 696.0,232.0 64.0,288.0"')
})

test('on a logarithmic axis the values themselves are the ticks', () => {
  const points = [1, 10, 100].map((x) => ({ x, p50: x, p95: x }))
  const svg = plotSvg({ ...PLOT, x: { label: 'at once', scale: 'log' }, series: [{ name: 'only', points }] })
  expect([...svg.matchAll(/<circle cx="([\d.]+)"/g)].map(([, at]) => at)).toEqual(['64', '380', '696'])
})

test('every colour stands out from white and from black', () => {
  const colours = new Set([...plotSvg(PLOT).matchAll(/#[0-9a-f]{6}/g)].map(([colour]) => colour))
  expect(colours.size).toBe(3)
  for (const colour of colours) {
    const light = luminance(colour)
    expect([colour, 1.05 / (light + 0.05) >= 3, (light + 0.05) / 0.05 >= 3]).toEqual([colour, true, true])
  }
})

/** Relative luminance of WCAG 2: contrast is (lighter + 0.05) / (darker + 0.05). */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
