'use strict'

// Dots on a logarithmic scale of time, as an SVG. Without a background and in colours of middle lightness, so that
// it can be read on a light page and on a dark one.

const COLORS = { mikir: '#e8590c', pytorch: '#4c78d0', jax: '#2f9e44' }
const GREY = '#7d8590'
const WIDTH = 860
const ROW = 34
const LEFT = 230
const RIGHT = 30
const TOP = 78
const RADIUS = 5.5

/**
 * @param {{ title: string, note: string, series: { name: string, title: string }[],
 *   rows: { name: string, dots: { series: string, isHollow: boolean, us: number }[] }[] }} chart
 */
function drawDots({ title, note, series, rows }) {
  const logs = rows.flatMap(({ dots }) => dots.map(({ us }) => Math.log10(us)))
  const first = Math.floor(Math.min(...logs))
  const last = Math.ceil(Math.max(...logs))
  const x = (log) => LEFT + ((WIDTH - LEFT - RIGHT) * (log - first)) / (last - first)
  const y = (row) => TOP + ROW * (row + 0.5)
  const bottom = TOP + ROW * rows.length

  const parts = [text(12, 22, title, { size: 15, weight: 600 })]
  let at = 12
  for (const { name, title } of series) {
    parts.push(dot(at + RADIUS, 46, COLORS[name], false), text(at + 18, 50, title))
    at += 50 + 7 * title.length
  }
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
  parts.push(text(12, bottom + 44, note, { size: 11 }))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 56}" role="img"
  font-family="system-ui, sans-serif" fill="${GREY}">
<title>${escaped(title)}</title>
${parts.join('\n')}
</svg>
`
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

module.exports = { drawDots }
