'use strict'

// The course and the result of training as one page without anything beside it.

const [WIDTH, HEIGHT, MARGIN] = [640, 240, 36]

const escaped = (text) =>
  String(text).replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign])

/** Losses by epoch, on a scale of logarithms, as an SVG. */
function chartOf(series) {
  const shown = series.filter(({ values }) => values?.length > 0)
  const all = shown.flatMap(({ values }) => Array.from(values)).filter((x) => x > 0)
  const [least, most] = [Math.log10(Math.min(...all)), Math.log10(Math.max(...all))]
  const x = (i, length) => MARGIN + (i / Math.max(1, length - 1)) * (WIDTH - 2 * MARGIN)
  const y = (value) =>
    HEIGHT - MARGIN - ((Math.log10(value) - least) / (most - least || 1)) * (HEIGHT - 2 * MARGIN)
  const lines = shown.map(({ name, values }, k) => {
    const points = Array.from(values, (value, i) =>
      value > 0 ? `${x(i, values.length).toFixed(1)},${y(value).toFixed(1)}` : ''
    )
    return `<polyline class="line${k}" points="${points.join(' ')}"/><text class="line${k}" x="${WIDTH - MARGIN}" y="${16 + 18 * k}">${escaped(name)}</text>`
  })
  const label = (value, at) => `<text x="${MARGIN - 4}" y="${at}">${value.toPrecision(3)}</text>`
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="losses by epoch">
${label(10 ** most, MARGIN)}${label(10 ** least, HEIGHT - MARGIN)}
<text x="${WIDTH - MARGIN}" y="${HEIGHT - 12}">${shown[0]?.values.length} epochs</text>
${lines.join('\n')}</svg>`
}

function tableOf(head, rows, cellOf = escaped) {
  const line = (cells, tag) =>
    `<tr>${cells.map((cell, k) => `<${k === 0 ? 'th' : tag}>${cell}</${k === 0 ? 'th' : tag}>`).join('')}</tr>`
  const body = rows.map(([name, ...cells]) => line([escaped(name), ...cells.map(cellOf)], 'td'))
  return `<table>${line(head.map(escaped), 'th')}${body.join('')}</table>`
}

/** Counts, the larger the darker. */
function matrixOf({ labels, confusionMatrix }) {
  const rows = confusionMatrix.map((counts, k) => {
    const all = counts.reduce((sum, count) => sum + count, 0) || 1
    return `<tr><th>${escaped(labels[k])}</th>${counts.map((count) => `<td style="background: rgb(70 110 240 / ${(count / all).toFixed(3)})">${count}</td>`).join('')}</tr>`
  })
  return `<table><tr><th>actual \\ predicted</th>${labels.map((label) => `<th>${escaped(label)}</th>`).join('')}</tr>${rows.join('')}</table>`
}

function pageOf({ file, target, history, report, importance }) {
  const parts = [
    `<h1>${escaped(target)} of ${escaped(file)}</h1>`,
    `<p>${history.epochs} epochs in ${(history.durationMs / 1000).toFixed(1)} seconds.</p>`,
    ...history.warnings.map(({ message }) => `<p><strong>Warning:</strong> ${escaped(message)}</p>`),
    '<h2>Loss</h2>',
    chartOf([
      { name: 'training', values: history.loss },
      { name: 'validation', values: history.validationLoss }
    ])
  ]
  if (report !== undefined) {
    const numbers = Object.entries(report).filter(([, value]) => typeof value === 'number')
    parts.push(
      '<h2>On rows that it has not seen</h2>',
      tableOf(['', ''], numbers, (x) => Number(x.toPrecision(5)))
    )
    if (report.confusionMatrix !== undefined && report.labels.length <= 50) {
      parts.push('<h2>Confusion matrix</h2>', matrixOf(report))
    }
  }
  if (importance.length > 0) {
    const rows = importance.map(({ feature, importance, deviation }) => [feature, importance, deviation])
    parts.push(
      '<h2>Importance</h2><p>How much worse it is without a column: the loss of accuracy or R2.</p>',
      tableOf(['column', 'importance', 'deviation'], rows, (x) => x.toFixed(4))
    )
  }
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(target)} of ${escaped(file)}</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 48rem; margin: 2rem auto; padding: 0 1rem; overflow-x: auto; }
svg { width: 100%; } polyline { fill: none; stroke-width: 2; } text { font-size: 12px; fill: currentColor; text-anchor: end; }
polyline.line0 { stroke: #46e; } text.line0 { fill: #46e; } polyline.line1 { stroke: #d63; } text.line1 { fill: #d63; }
table { border-collapse: collapse; } td, th { padding: .25rem .75rem; border: 1px solid #8884; text-align: right; }
</style></head><body>
${parts.join('\n')}
</body></html>
`
}

module.exports = { pageOf }
