// What is drawn: the map of the output, and the network with a map of each neuron.

const SVG = 'http://www.w3.org/2000/svg'
/** The size of a neuron's map, and the room around it. */
const [SIZE, ROW, COLUMN] = [34, 44, 150]
/** The most neurons of a layer that are shown. */
const MOST = 12

/** The hue of a class: blue and orange where there are two. */
export const hueOf = (k, count) => (count === 2 ? [215, 28][k] : (215 + (360 * k) / count) % 360)

/** hsl with a lightness of 55 % as red, green and blue. */
function colourOf(hue, strength) {
  const a = 0.7 * strength * 0.45
  const channel = (n) => {
    const k = (n + hue / 30) % 12
    return 255 * (0.55 - a * Math.max(-1, Math.min(k - 3, 9 - k, 1)))
  }
  return [channel(0), channel(8), channel(4)]
}

/** Fills a canvas with colours of squares. */
function paint(context, side, size, colour) {
  const image = new ImageData(side, side)
  for (let i = 0; i < side * side; i++) {
    const [r, g, b] = colour(i)
    image.data.set([r, g, b, 255], 4 * i)
  }
  const small = new OffscreenCanvas(side, side)
  small.getContext('2d').putImageData(image, 0, 0)
  context.imageSmoothingEnabled = false
  context.drawImage(small, 0, 0, size, size)
}

export function drawMap(canvas, { output, points, ranges, labels }) {
  const context = canvas.getContext('2d')
  const side = Math.sqrt(output.length)
  const size = canvas.width
  const count = labels?.length ?? 2
  paint(context, side, size, (i) => {
    const row = output[i]
    if (typeof row === 'number') return colourOf(row < 0 ? 28 : 215, Math.min(1, Math.abs(row)))
    const best = row.indexOf(Math.max(...row))
    return colourOf(hueOf(best, count), 0.15 + 0.6 * row[best])
  })
  const at = (x, [least, most]) => ((x - least + 0.1 * (most - least)) / (1.2 * (most - least) || 1)) * size
  for (const [x, y, kind] of points.slice(0, 600)) {
    context.beginPath()
    context.arc(at(x, ranges[0]), size - at(y, ranges[1]), 3, 0, 2 * Math.PI)
    context.fillStyle = `hsl(${labels === undefined ? (kind < 0 ? 28 : 215) : hueOf(kind, count)} 80% 40%)`
    context.fill()
    context.strokeStyle = '#fff'
    context.lineWidth = 1
    context.stroke()
  }
}

const make = (name, attributes) => {
  const made = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  return made
}

/** The SVG that is there, and what it is of: lines and maps are changed and not made anew. */
let drawn

export function drawNetwork(place, { features, labels, maps, weights }, choose) {
  const shape = JSON.stringify([features, labels, weights.map(({ biases }) => biases.length)])
  if (drawn?.shape !== shape) {
    drawn = { shape, ...build(features, labels, weights, choose) }
    place.replaceChildren(drawn.svg)
  }
  const most = Math.max(...drawn.lines.map(({ l, j, i }) => Math.abs(weights[l].weights[j][i])), 1e-9)
  for (const { line, title, l, j, i, from, to } of drawn.lines) {
    const weight = weights[l].weights[j][i]
    line.setAttribute('stroke', weight < 0 ? 'var(--orange)' : 'var(--blue)')
    line.setAttribute('stroke-width', 0.5 + (5 * Math.abs(weight)) / most)
    title.textContent = `${from} to ${to}: ${weight.toFixed(4)}`
  }
  for (const { canvas, l, j } of drawn.maps) {
    const values = maps[l]?.[j]
    if (values === undefined) continue
    const largest = values.reduce((max, x) => Math.max(max, Math.abs(x)), 1e-9)
    paint(canvas.getContext('2d'), Math.sqrt(values.length), SIZE, (i) =>
      colourOf(values[i] < 0 ? 28 : 215, Math.abs(values[i]) / largest)
    )
  }
}

function build(features, labels, weights, choose) {
  const columns = [
    features,
    ...weights.map(({ biases }, l) =>
      l === weights.length - 1 ? labels : biases.map((_, k) => `neuron ${k + 1}`)
    )
  ]
  const shown = columns.map((names) => names.slice(0, MOST))
  const height = Math.max(...shown.map((names) => names.length)) * ROW + 30
  const width = Math.max(480, 120 + columns.length * COLUMN)
  const svg = make('svg', {
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'aria-label': `A network of ${columns.map((names) => names.length).join(', ')}`
  })
  const step = (width - 240) / (columns.length - 1)
  const x = (c) => 120 + c * step
  const y = (c, k) => 15 + (k + 0.5) * ((height - 30) / shown[c].length)
  const [lines, maps] = [[], []]
  for (const [l, { weights: rows }] of weights.entries()) {
    for (const [j] of rows.slice(0, MOST).entries()) {
      for (const [i] of shown[l].entries()) {
        const line = make('line', {
          x1: x(l) + SIZE / 2,
          y1: y(l, i),
          x2: x(l + 1) - SIZE / 2,
          y2: y(l + 1, j),
          'stroke-opacity': 0.6
        })
        const title = make('title', {})
        line.append(title)
        line.addEventListener('click', () => choose(l, j, i))
        svg.append(line)
        lines.push({ line, title, l, j, i, from: shown[l][i], to: shown[l + 1][j] })
      }
    }
  }
  for (const [c, names] of shown.entries()) {
    for (const [k, name] of names.entries()) {
      const [left, top] = [x(c) - SIZE / 2, y(c, k) - SIZE / 2]
      if (c > 0 && c < columns.length - 1) {
        const holder = make('foreignObject', { x: left, y: top, width: SIZE, height: SIZE })
        const canvas = document.createElement('canvas')
        canvas.width = SIZE
        canvas.height = SIZE
        holder.append(canvas)
        svg.append(holder)
        maps.push({ canvas, l: c - 1, j: k })
      }
      svg.append(make('rect', { x: left, y: top, width: SIZE, height: SIZE, rx: 4 }))
      if (c === 0 || c === columns.length - 1) {
        const [side, anchor] = c === 0 ? [-1, 'end'] : [1, 'start']
        const label = make('text', { x: x(c) + side * (SIZE / 2 + 6), y: y(c, k) + 4, 'text-anchor': anchor })
        label.textContent = name.length > 14 ? `${name.slice(0, 13)}…` : name
        svg.append(label)
      }
    }
    if (columns[c].length > MOST) {
      const more = make('text', { x: x(c), y: height - 4, 'text-anchor': 'middle' })
      more.textContent = `and ${columns[c].length - MOST} more`
      svg.append(more)
    }
  }
  return { svg, lines, maps }
}
