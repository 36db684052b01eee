"""mikir's safetensors files in PyTorch: `load(path)` gives the equal nn.Sequential and the options, `save` writes them back.

Copy this file into a project of yours; it needs torch and safetensors.
"""

import json

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

ACTIVATIONS = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "softsign": nn.Softsign,
    "hardSigmoid": nn.Hardsigmoid,
    "hardTanh": nn.Hardtanh,
    "relu6": nn.ReLU6,
}


class Softplus(nn.Module):
    """In full precision everywhere: nn.Softplus is linear above its threshold of 20."""

    def forward(self, z):
        return torch.logaddexp(z, torch.zeros_like(z))


def activation_of(option):
    """The module of an activation, a name or `{ type, alpha }`."""
    name, alpha = (option, None) if isinstance(option, str) else (option["type"], option["alpha"])
    if name == "softplus":
        return Softplus()
    if name == "softmax":
        return nn.Softmax(dim=-1)
    if name == "leakyRelu":
        return nn.LeakyReLU(alpha)
    return nn.ELU(alpha) if name == "elu" else ACTIVATIONS[name]()


def sequence_of(options):
    """The nn.Sequential of a network's options."""
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


def load(path):
    """The nn.Sequential in a file, with its weights, and the network's options."""
    with safe_open(path, "pt") as file:
        options = json.loads(file.metadata()["mikir"])["options"]
    sequence = sequence_of(options).to(torch.float64 if options["precision"] == "f64" else torch.float32)
    sequence.load_state_dict(load_file(path))
    return sequence, options


def save(path, sequence, options):
    """Writes a file that `NeuralNetwork.load` and `fromSafetensors` read."""
    state = {name: tensor.contiguous() for name, tensor in sequence.state_dict().items()}
    save_file(state, path, {"mikir": json.dumps({"version": 1, "options": options})})
