"""torch_files.json: files that the safetensors library writes of PyTorch's nn.Sequential, and what these modules predict."""

import base64

import torch
from safetensors.torch import save
from torch import nn

ROWS = 4


def module(layers):
    """An nn.Sequential with statistics and scales that are not neutral."""
    torch.manual_seed(1)
    sequence = nn.Sequential(*layers)
    with torch.no_grad():
        for part in sequence:
            if isinstance(part, (nn.BatchNorm1d, nn.LayerNorm)):
                part.weight.uniform_(0.5, 1.5)
                part.bias.uniform_(-0.5, 0.5)
            if isinstance(part, nn.BatchNorm1d):
                part.running_mean.uniform_(-0.5, 0.5)
                part.running_var.uniform_(0.5, 1.5)
    return sequence.eval()


def case(name, layers, activations, dtype, inputs, prefix=""):
    sequence = module(layers).to(dtype)
    rows = torch.linspace(-1.5, 1.5, ROWS * inputs, dtype=torch.float64).reshape(ROWS, inputs)
    # What the file holds decides; the sums are taken in double precision.
    outputs = sequence.to(torch.float64)(rows)
    state = {prefix + key: value for key, value in module(layers).to(dtype).state_dict().items()}
    return {
        "name": name,
        "activations": activations,
        "file": base64.b64encode(save(state)).decode(),
        "inputs": rows.tolist(),
        "outputs": outputs.tolist(),
    }


def make():
    deep = lambda: [
        *(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Dropout(0.3)),
        *(nn.Linear(5, 4), nn.LayerNorm(4), nn.ReLU()),
        nn.Linear(4, 2),
    ]
    cases = [
        case("one layer", [nn.Linear(3, 2)], ["linear"], torch.float64, 3),
        case("no bias", [nn.Linear(3, 4, bias=False), nn.ReLU(), nn.Linear(4, 1)], ["relu"], torch.float64, 3),
        case("classes", [nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 3), nn.Softmax(1)], ["gelu", "softmax"], torch.float64, 4),
        case("a prefix", [nn.Linear(2, 3), nn.SiLU(), nn.Linear(3, 1)], ["silu"], torch.float32, 2, "net.layers."),
    ]
    for dtype in [torch.float64, torch.float32, torch.bfloat16, torch.float16]:
        cases.append(case(f"normalizations, {dtype}", deep(), ["tanh", "relu", "linear"], dtype, 3))
    return {"about": "Files of PyTorch's nn.Sequential, as base64, and their predictions.", "cases": cases}
