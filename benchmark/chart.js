'use strict'

// Dots and curves on logarithmic scales of time, as SVGs. Without a background and in colours of middle lightness, so
// that they can be read on a light page and on a dark one.

const COLORS = { mikir: '#e8590c', pytorch: '#4c78d0', jax: '#2f9e44' }
const CURVES = ['#e8590c', '#4c78d0', '#2f9e44', '#b54fc4']
const GREY = '#7d8590'
const WIDTH = 860
const ROW = 34
const LEFT = 230
const RIGHT = 30
const TOP = 78
const RADIUS = 5.5
/** The left edge and the height of the field of the curves. */
const LEFT_OF_CURVES = 70
const HEIGHT = 420

/**
 * @param {{ title: string, note: string, series: { name: string, title: string }[],
 *   rows: { name: string, dots: { series: string, isHollow: boolean, us: number }[] }[] }} chart
 */
function drawDots({ title, note, series, rows }) {
  const [first, last] = decades(rows.flatMap(({ dots }) => dots.map(({ us }) => us)))
  const x = (log) => LEFT + ((WIDTH - LEFT - RIGHT) * (log - first)) / (last - first)
  const y = (row) => TOP + ROW * (row + 0.5)
  const bottom = TOP + ROW * rows.length

  const parts = legend(series.map(({ name, title }) => ({ color: COLORS[name], title })))
  for (let log = first; log <= last; log++) {
    parts.push(
      line(x(log), TOP, x(log), bottom),
      text(x(log), bottom + 18, duration(log), { anchor: 'middle' })
    )
  }
  for (const [row, { name, dots }] of rows.entries()) {
    parts.push(
      text(LEFT - 16, y(row) + 4, name, { anchor: 'end' }),
      line(LEFT, y(row), WIDTH - RIGHT, y(row))
    )
    for (const { series, isHollow, us } of dots) {
      parts.push(dot(x(Math.log10(us)), y(row), COLORS[series], isHollow))
    }
  }
  return page({ title, note, bottom: bottom + 18, parts })
}

/**
 * Both scales are logarithmic; a curve is drawn once for each list of points, a hollow one with dashes.
 * @param {{ title: string, note: string, across: string,
 *   curves: { title: string, lines: { isHollow: boolean, points: { x: number, us: number }[] }[] }[] }} chart
 */
function drawCurves({ title, note, across, curves }) {
  const points = curves.flatMap(({ lines }) => lines.flatMap(({ points }) => points))
  const [first, last] = decades(points.map(({ us }) => us))
  const [left, right] = decades(points.map(({ x }) => x))
  const bottom = TOP + HEIGHT
  const atX = (log) => LEFT_OF_CURVES + ((WIDTH - LEFT_OF_CURVES - RIGHT) * (log - left)) / (right - left)
  const atY = (log) => Math.round(bottom - (HEIGHT * (log - first)) / (last - first))

  const parts = legend(curves.map(({ title }, i) => ({ color: CURVES[i], title })))
  for (let log = left; log <= right; log++) {
    parts.push(
      line(atX(log), TOP, atX(log), bottom),
      text(atX(log), bottom + 18, String(10 ** log), { anchor: 'middle' })
    )
  }
  for (let log = first; log <= last; log++) {
    parts.push(
      line(LEFT_OF_CURVES, atY(log), WIDTH - RIGHT, atY(log)),
      text(LEFT_OF_CURVES - 8, atY(log) + 4, duration(log), { anchor: 'end' })
    )
  }
  parts.push(text((LEFT_OF_CURVES + WIDTH - RIGHT) / 2, bottom + 38, across, { anchor: 'middle' }))
  for (const [i, { lines }] of curves.entries()) {
    for (const { isHollow, points } of lines) {
      const places = points.map(({ x, us }) => [atX(Math.log10(x)).toFixed(1), atY(Math.log10(us))])
      parts.push(polyline(places, CURVES[i], isHollow))
    }
  }
  return page({ title, note, bottom: bottom + 38, parts })
}

/** The powers of ten that numbers lie between. */
function decades(numbers) {
  const logs = numbers.map(Math.log10)
  return [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))]
}

function page({ title, note, bottom, parts }) {
  const heading = text(12, 22, title, { size: 15, weight: 600 })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 38}" role="img"
  font-family="system-ui, sans-serif" fill="${GREY}">
<title>${escaped(title)}</title>
${[heading, ...parts, text(12, bottom + 26, note, { size: 11 })].join('\n')}
</svg>
`
}

function legend(entries) {
  let at = 12
  return entries.flatMap(({ color, title }) => {
    const start = at
    at += 50 + 7 * title.length
    return [dot(start + RADIUS, 46, color, false), text(start + 18, 50, title)]
  })
}

function polyline(places, color, isHollow) {
  const dashes = isHollow ? ' stroke-dasharray="5 4"' : ''
  return `<polyline points="${places.join(' ')}" fill="none" stroke="${color}" stroke-width="2"${dashes}/>`
}

function text(x, y, content, { anchor = 'start', size = 13, weight = 400 } = {}) {
  const style = `text-anchor="${anchor}" font-size="${size}" font-weight="${weight}"`
  return `<text x="${x.toFixed(1)}" y="${y}" ${style}>${escaped(content)}</text>`
}

function line(x1, y1, x2, y2) {
  const [from, to] = [x1, x2].map((x) => x.toFixed(1))
  return `<line x1="${from}" y1="${y1}" x2="${to}" y2="${y2}" stroke="${GREY}" stroke-opacity="0.3"/>`
}

function dot(x, y, color, isHollow) {
  const fill = isHollow ? 'none' : color
  return `<circle cx="${x.toFixed(1)}" cy="${y}" r="${RADIUS}" fill="${fill}" stroke="${color}" stroke-width="2"/>`
}

/** The label of a power of ten in microseconds. */
function duration(log) {
  if (log >= 6) return `${10 ** (log - 6)} s`
  return log >= 3 ? `${10 ** (log - 3)} ms` : `${Number((10 ** log).toPrecision(1))} µs`
}

function escaped(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

module.exports = { drawCurves, drawDots }
