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

import torch  # noqa: E402
from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from torch import nn  # noqa: E402

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

ACTIVATIONS = {
    "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "selu": nn.SELU, "gelu": nn.GELU, "silu": nn.SiLU,
    "mish": nn.Mish, "softsign": nn.Softsign, "hardSigmoid": nn.Hardsigmoid, "hardTanh": nn.Hardtanh, "relu6": nn.ReLU6,
}


class Softplus(nn.Module):
    """nn.Softplus is linear above its threshold of 20."""

    def forward(self, z):
        return torch.logaddexp(z, torch.zeros_like(z))


def activation_of(option):
    name, alpha = (option, None) if isinstance(option, str) else (option["type"], option["alpha"])
    if name == "softplus":
        return Softplus()
    if name == "leakyRelu":
        return nn.LeakyReLU(alpha)
    return nn.ELU(alpha) if name == "elu" else ACTIVATIONS[name]()


def sequence_of(options):
    """The equal nn.Sequential, as docs/file-format.md says."""
    modules, width = [], options["layers"][0]
    for layer in options["layers"][1:]:
        units = layer["units"]
        modules.append(nn.Linear(width, units))
        if layer.get("normalization") == "batch":
            modules.append(nn.BatchNorm1d(units))
        if layer.get("normalization") == "layer":
            modules.append(nn.LayerNorm(units))
        if layer["activation"] != "linear":
            modules.append(activation_of(layer["activation"]))
        if layer["dropout"] > 0:
            modules.append(nn.Dropout(layer["dropout"]))
        width = units
    return nn.Sequential(*modules)


def main():
    worst = {"f64": 0.0, "f32": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        text = subprocess.check_output(["node", "-e", WRITER, folder], cwd=make.ROOT)
        cases = json.loads(text)
        for case in cases:
            with safe_open(case["file"], "pt") as file:
                options = json.loads(file.metadata()["mikir"])["options"]
            dtype = torch.float64 if options["precision"] == "f64" else torch.float32
            sequence = sequence_of(options).to(dtype).eval()
            sequence.load_state_dict(load_file(case["file"]))
            with torch.no_grad():
                outputs = sequence(torch.tensor(case["inputs"], dtype=dtype))
            exact = torch.tensor(case["outputs"], dtype=dtype)
            error = ((outputs - exact).abs() / (1 + exact.abs())).max().item()
            worst[options["precision"]] = max(worst[options["precision"]], error)
    print(f"{len(cases)} files; largest relative differences: {worst}")
    if worst["f64"] > 1e-12 or worst["f32"] > 1e-5:
        sys.exit("too far apart")


main()
