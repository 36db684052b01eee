"""Checks that ONNX Runtime computes mikir's ONNX files: for every activation, normalization, dropout and precision, depth 1
to 6, and every kind of output, the predictions are the same.

    python3 scripts/goldens/onnx_check.py

The addon must be built. The environment is that of make.py.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import make  # noqa: E402

make.enter_environment()

import json  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402

import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnxruntime  # noqa: E402

# The files, with rows and what mikir predicts for them.
WRITER = """
const { NeuralNetwork } = require('.')
const { writeFileSync } = require('node:fs')
const folder = process.argv[1]
const activations = ['linear', 'sigmoid', 'tanh', 'relu', 'leakyRelu', 'elu', 'selu', 'gelu', 'silu', 'mish', 'softplus',
  'softsign', 'hardSigmoid', 'hardTanh', 'relu6', { type: 'leakyRelu', alpha: -0.5 }, { type: 'elu', alpha: 2 }]
const about = []
const add = (options) => {
  const network = new NeuralNetwork(options)
  const rows = [[1, 2, 3, 4], [0, 1, 0, -1], [2, 1, 1, 1]]
  const targets = options.loss === 'crossEntropy' ? [0, 1, 2] : [[1, 0, 1], [0, 1, 1], [1, 1, 0]]
  network.fitSync(rows, targets, { epochs: 3 })
  const file = `${folder}/${about.length}.onnx`
  writeFileSync(file, network.toONNX())
  const inputs = [[0.5, -1, 2, 0], [0, 0, 0, 0], [1, 1, -1, 3], [-4, 2, 1, 0.5]]
  const name = JSON.stringify(options)
  about.push({ file, name, precision: network.precision, inputs, outputs: inputs.map((row) => network.predict(row)) })
}
for (const precision of ['f64', 'f32']) {
  for (const activation of activations) for (let depth = 1; depth <= 6; depth++) {
    for (const normalization of [undefined, 'batch', 'layer']) for (const dropout of [0, 0.4]) {
      const hidden = Array.from({ length: depth - 1 }, () => ({ units: 5, activation, normalization, dropout }))
      const output = { units: 3, activation, normalization }
      add({ layers: [4, ...hidden, output], loss: 'mse', precision, seed: depth })
    }
  }
  for (const loss of ['crossEntropy', 'binaryCrossEntropy', 'poisson']) add({ layers: [4, 6, 3], loss, precision, seed: 1 })
}
console.log(JSON.stringify(about))
"""


def main():
    worst = {"f64": (0.0, ""), "f32": (0.0, "")}
    refused = {}
    with tempfile.TemporaryDirectory() as folder:
        cases = json.loads(subprocess.check_output(["node", "-e", WRITER, folder], cwd=make.ROOT))
        for case in cases:
            precision = case["precision"]
            onnx.checker.check_model(case["file"], full_check=True)
            try:
                session = onnxruntime.InferenceSession(case["file"], providers=["CPUExecutionProvider"])
            except Exception as error:  # an operator that it does not have in this precision
                refused.setdefault(str(error).split("Could not find")[-1].strip(), []).append(case["name"])
                continue
            rows = np.array(case["inputs"], dtype=np.float64 if precision == "f64" else np.float32)
            (outputs,) = session.run(["outputs"], {"inputs": rows})
            exact = np.array(case["outputs"])
            error = float(np.max(np.abs(outputs - exact) / (1 + np.abs(exact))))
            # Its erf is taken in single precision.
            if precision == "f64" and "gelu" in case["name"]:
                precision = "f32"
            if not error <= worst[precision][0]:
                worst[precision] = (error, case["name"])
    print(f"{len(cases)} files; largest relative differences: {worst}")
    for reason, names in refused.items():
        print(f"{len(names)} files were refused by ONNX Runtime: {reason}\n  such as {names[0]}")
    if refused or not (worst["f64"][0] <= 1e-12 and worst["f32"][0] <= 1e-5):
        sys.exit("too far apart")


main()
