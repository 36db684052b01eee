"""Classifiers and regressors in ONNX: ONNX Runtime reads what mikir writes, and answers what mikir answers.

    python3 scripts/goldens/models_check.py      needs Node.js and a built addon; the environment is that of make.py
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True

import make

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
const [folder] = process.argv.slice(1)
const { Classifier, Regressor } = require('.')
const { writeFileSync } = require('node:fs')
let state = 1
const random = () => (state = (state * 16807) % 2147483647) / 2147483647
const COLOURS = ['red', 'green', 'blue']
const rows = Array.from({ length: 300 }, (_, i) => {
  const [colour, size, isOn] = [COLOURS[Math.floor(random() * 3)], 10 * random(), random() < 0.5]
  const day = new Date(Date.UTC(2020 + 8 * random(), 12 * random(), 1 + 28 * random(), 24 * random(), 30))
  const score = size + (isOn ? 4 : 0) + 5 * COLOURS.indexOf(colour) + (day.getUTCMonth() > 5 ? 3 : 0)
  return {
    size: random() < 0.1 ? null : size,
    colour: random() < 0.05 ? null : random() < 0.03 ? `rare ${i}` : colour,
    isOn,
    day: random() < 0.05 ? null : day,
    price: 17000 + 100 * size,
    score,
    double: 2 * score,
    label: score < 8 ? 'low' : score < 14 ? 'middle' : 'high',
    isHigh: score > 11 ? 'yes' : 'no',
    isOdd: Math.floor(score) % 2 === 1
  }
})
const all = [
  ...rows,
  { ...rows[0], colour: 'violet', size: -1e9 },
  { ...rows[1], size: 1e300, colour: null, isOn: null, day: new Date('1969-02-28T23:00:00Z') },
  { ...rows[2], day: new Date('2000-02-29T12:00:00Z'), colour: 'NA' }
]
const cases = [
  ['classes', Classifier, 'label', 'f32'],
  ['labels', Classifier, ['isHigh', 'isOdd'], 'f64'],
  ['number', Regressor, 'score', 'f64'],
  ['numbers', Regressor, ['score', 'double'], 'f32']
]
async function main() {
  const answers = {}
  for (const [name, Model, target, precision] of cases) {
    const model = new Model({ seed: 1, ensemble: 3, hidden: [16], precision })
    await model.fit(rows, { target, features: ['size', 'colour', 'isOn', 'day', 'price'], epochs: 10 })
    await model.save(`${folder}/${name}.onnx`)
    answers[name] = { precision, predicted: model.predict(all), probabilities: model.probabilities?.(all) }
  }
  const text = (value) => (value === null ? '' : String(value))
  const number = (value) => (value === null ? null : Number(value))
  const columns = {
    size: all.map(({ size }) => number(size)),
    day: all.map(({ day }) => number(day)),
    price: all.map(({ price }) => price),
    colour: all.map(({ colour }) => text(colour)),
    isOn: all.map(({ isOn }) => text(isOn))
  }
  writeFileSync(`${folder}/answers.json`, JSON.stringify({ columns, answers }))
}
main()
"""


def main():
    import numpy as np
    import onnx
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        subprocess.check_call(["node", "-e", PROGRAM, folder], cwd=ROOT)
        made = json.loads((Path(folder) / "answers.json").read_text())
        feed = {}
        for name, cells in made["columns"].items():
            kind = object if isinstance(cells[0], str) else np.float64
            feed[name] = np.array([[np.nan if cell is None else cell] for cell in cells], dtype=kind)
        for name, answer in made["answers"].items():
            path = str(Path(folder) / f"{name}.onnx")
            onnx.checker.check_model(path, full_check=True)
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            outputs = session.run(None, {given.name: feed[given.name] for given in session.get_inputs()})
            predicted = answer["predicted"]
            plain = [list(row.values()) if isinstance(row, dict) else [row] for row in predicted]
            tolerance = 1e-12 if answer["precision"] == "f64" else 1e-6
            if answer.get("probabilities") is None:
                [found] = outputs
                exact = np.array(plain)
            else:
                labels, found = outputs
                assert labels.reshape(len(plain), -1).tolist() == plain, name
                exact = np.array([list(row.values()) for row in answer["probabilities"]])
            # Networks predict numbers in standard deviations of the target: that is what single precision rounds.
            unit = 1 if answer.get("probabilities") else exact.std(axis=0)
            worst = (np.abs(found - exact) / unit).max()
            print(f"{name}, {answer['precision']}: {len(plain)} rows within {worst:.1e}")
            assert worst <= tolerance, name


if __name__ == "__main__":
    make.enter_environment()
    main()
