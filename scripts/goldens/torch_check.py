"""Checks that PyTorch reads mikir's safetensors files: for every activation, normalization, dropout and precision, depth 1
to 6, the equal nn.Sequential takes the state_dict and predicts the same.

    python3 scripts/goldens/torch_check.py

The addon must be built. The environment is that of make.py.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import make  # noqa: E402

make.enter_environment()

sys.path.insert(0, str(make.ROOT / "examples" / "scale"))
sys.dont_write_bytecode = True

import torch  # noqa: E402
from mikir_torch import load  # noqa: E402

# The files, with rows and what mikir predicts for them.
WRITER = """
const { NeuralNetwork } = require('.')
const { writeFileSync } = require('node:fs')
const folder = process.argv[1]
const activations = ['linear', 'sigmoid', 'tanh', 'relu', 'leakyRelu', 'elu', 'selu', 'gelu', 'silu', 'mish', 'softplus',
  'softsign', 'hardSigmoid', 'hardTanh', 'relu6']
const about = []
for (const precision of ['f64', 'f32']) for (const activation of activations) for (let depth = 1; depth <= 6; depth++) {
  for (const normalization of [undefined, 'batch', 'layer']) for (const dropout of [0, 0.4]) {
    const hidden = Array.from({ length: depth - 1 }, () => ({ units: 5, activation, normalization, dropout }))
    const output = { units: 3, activation, normalization }
    const network = new NeuralNetwork({ layers: [4, ...hidden, output], loss: 'mse', precision, seed: depth })
    network.fitSync([[1, 2, 3, 4], [0, 1, 0, -1], [2, 1, 1, 1]], [[1, 0, 1], [0, 1, 1], [1, 1, 0]], { epochs: 3 })
    const file = `${folder}/${about.length}.safetensors`
    writeFileSync(file, network.toSafetensors())
    const inputs = [[0.5, -1, 2, 0], [0, 0, 0, 0], [1, 1, -1, 3]]
    about.push({ file, inputs, outputs: inputs.map((row) => network.predict(row)) })
  }
}
console.log(JSON.stringify(about))
"""

def main():
    worst = {"f64": 0.0, "f32": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        text = subprocess.check_output(["node", "-e", WRITER, folder], cwd=make.ROOT)
        cases = json.loads(text)
        for case in cases:
            sequence, options = load(case["file"])
            sequence.eval()
            dtype = next(sequence.parameters()).dtype
            with torch.no_grad():
                outputs = sequence(torch.tensor(case["inputs"], dtype=dtype))
            exact = torch.tensor(case["outputs"], dtype=dtype)
            error = ((outputs - exact).abs() / (1 + exact.abs())).max().item()
            worst[options["precision"]] = max(worst[options["precision"]], error)
    print(f"{len(cases)} files; largest relative differences: {worst}")
    if worst["f64"] > 1e-12 or worst["f32"] > 1e-5:
        sys.exit("too far apart")


main()
