"""network.json: forward and backward of whole networks, and twenty epochs of training, written out with PyTorch functions.

A layer computes, for a batch of rows x,

    z = x W^T + b            W[j][i] multiplies input i in neuron j
    n = normalization(z)     batch or layer, before the activation: gamma * (z - mean) / sqrt(variance + 1e-5) + beta
    y = activation(n)

and the objective is the data loss plus, for each layer, l1 * sum |W| + l2 / 2 * sum W^2 (weights only).
"""

import numpy as np
import torch
import torch.nn.functional as F

import losses
from common import tensor

EPSILON = 1e-5
MOMENTUM = 0.1  # running = 0.9 running + 0.1 batch, the variance unbiased: PyTorch's

ACTIVATIONS = {
    "linear": lambda x: x, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu,
    "leakyRelu": F.leaky_relu, "elu": F.elu, "selu": F.selu, "gelu": F.gelu, "silu": F.silu, "mish": F.mish,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)), "softsign": F.softsign,
    "softmax": lambda x: torch.softmax(x, 1),
}
FUSED = {"crossEntropy": "softmax", "binaryCrossEntropy": "sigmoid"}  # these losses are computed from the logits


class Network:
    def __init__(self, input_count, layers, loss, loss_options, random):
        self.layers, self.loss, self.loss_options = layers, loss, loss_options
        self.parameters, self.running = [], []
        for layer in layers:
            units = layer["units"]
            scale = 1.2 / np.sqrt(input_count)
            parameters = {"weights": draw(random, scale, units, input_count), "biases": draw(random, 0.3, units)}
            if "normalization" in layer:
                parameters["gamma"] = (1 + draw(random, 0.2, units)).round(decimals=4)
                parameters["beta"] = draw(random, 0.2, units)
            self.parameters.append({name: value.requires_grad_() for name, value in parameters.items()})
            batch = layer.get("normalization") == "batch"
            self.running.append({"mean": torch.zeros(units), "variance": torch.ones(units)} if batch else None)
            input_count = units

    def forward(self, x, training):
        """The logits (what enters the last activation) and the outputs. Training updates the running statistics."""
        for layer, p, running in zip(self.layers, self.parameters, self.running):
            z = F.linear(x, p["weights"], p["biases"])
            if running:
                statistics = running["mean"], running["variance"]
                z = F.batch_norm(z, *statistics, p["gamma"], p["beta"], training, MOMENTUM, EPSILON)
            elif "normalization" in layer:
                z = F.layer_norm(z, [layer["units"]], p["gamma"], p["beta"], EPSILON)
            x = ACTIVATIONS[layer["activation"]](z)
        return z, x

    def data_loss(self, logits, outputs, targets):
        fused = self.loss in FUSED
        assert not fused or FUSED[self.loss] == self.layers[-1]["activation"]
        per_example = losses.LOSSES[self.loss](logits if fused else outputs, targets, **self.loss_options)
        return per_example.mean()

    def penalty(self):
        total = torch.zeros(())
        for layer, p in zip(self.layers, self.parameters):
            w = p["weights"]
            total = total + layer.get("l1", 0) * w.abs().sum() + layer.get("l2", 0) / 2 * (w**2).sum()
        return total

    def all_parameters(self):
        return [value for p in self.parameters for value in p.values()]

    def values(self):
        return [{name: value.tolist() for name, value in p.items()} for p in self.parameters]

    def gradients(self):
        return [{name: value.grad.tolist() for name, value in p.items()} for p in self.parameters]

    def statistics(self):
        return [r and {name: value.tolist() for name, value in r.items()} for r in self.running]


def draw(random, scale, *shape):
    """Four decimals: exact in the file, and the same for every version of the generator's arithmetic."""
    return tensor((scale * random.standard_normal(shape)).round(4).tolist())


def layer(units, activation, **options):
    return {"units": units, "activation": activation, **options}


# name, rows, inputs, layers, loss, its options
NETWORKS = [
    ("one linear layer", 4, 3, [layer(2, "linear")], "mse", {}),
    ("the original's shape", 4, 2, [layer(2, "sigmoid"), layer(1, "sigmoid")], "squaredError", {}),
    ("a classifier", 5, 4, [layer(5, "relu"), layer(4, "tanh"), layer(3, "softmax")], "crossEntropy", {}),
    ("label smoothing and both penalties", 5, 4,
     [layer(5, "relu", l1=0.01), layer(4, "tanh", l2=0.05), layer(3, "softmax", l1=0.002, l2=0.1)],
     "crossEntropy", {"labelSmoothing": 0.1}),
    ("four layers", 4, 3, [layer(4, "gelu"), layer(5, "silu"), layer(3, "elu"), layer(2, "sigmoid")],
     "binaryCrossEntropy", {}),
    ("a positive weight", 4, 3, [layer(4, "mish"), layer(3, "softplus"), layer(2, "sigmoid")],
     "binaryCrossEntropy", {"positiveWeight": 2.5}),
    ("penalties on a regression", 6, 2, [layer(4, "leakyRelu", l1=0.02, l2=0.03), layer(1, "linear", l2=0.1)], "mse", {}),
    ("layer normalization", 4, 3,
     [layer(5, "relu", normalization="layer"), layer(4, "selu", normalization="layer"), layer(2, "linear")], "mse", {}),
    ("batch normalization", 6, 3,
     [layer(5, "relu", normalization="batch"), layer(4, "tanh", normalization="batch"), layer(3, "softmax")],
     "crossEntropy", {}),
    ("both normalizations and penalties", 6, 3,
     [layer(5, "softsign", normalization="batch", l2=0.05), layer(4, "silu", normalization="layer", l1=0.01),
      layer(4, "tanh", normalization="batch"), layer(2, "linear", l1=0.003)], "huber", {"delta": 0.5}),
]


def make_targets(random, rows, units, loss):
    if loss == "crossEntropy":
        return one_hot(random, rows, units)
    if loss == "binaryCrossEntropy":
        return tensor(random.integers(0, 2, (rows, units)).astype(float).tolist())
    return draw(random, 0.8, rows, units)


def one_hot(random, rows, classes):
    return tensor(np.eye(classes)[random.permutation(np.arange(rows) % classes)].tolist())


def forward_backward(seed, name, rows, input_count, layers, loss, loss_options):
    random = np.random.default_rng(seed)
    network = Network(input_count, layers, loss, loss_options, random)
    inputs = draw(random, 1.0, rows, input_count)
    targets = make_targets(random, rows, layers[-1]["units"], loss)
    initial_statistics = network.statistics()
    logits, outputs = network.forward(inputs, training=True)
    data_loss, penalty = network.data_loss(logits, outputs, targets), network.penalty()
    (data_loss + penalty).backward()
    golden = {
        "name": name, "inputCount": input_count, "layers": layers, "loss": {"type": loss, **loss_options},
        "parameters": network.values(), "inputs": inputs.tolist(), "targets": targets.tolist(),
        "logits": logits.tolist(), "outputs": outputs.tolist(),
        "dataLoss": data_loss.item(), "penalty": penalty.item(), "gradients": network.gradients(),
    }
    if any(initial_statistics):
        golden["runningStatistics"] = {"before": initial_statistics, "after": network.statistics()}
        golden["predictions"] = network.forward(inputs, training=False)[1].tolist()
    return golden


def training():
    random = np.random.default_rng(20)
    layers = [layer(8, "relu", normalization="batch"), layer(6, "tanh", normalization="batch"), layer(3, "softmax")]
    rows, epochs, batch_size, learning_rate = 24, 20, 8, 0.01
    network = Network(5, layers, "crossEntropy", {}, random)
    inputs, targets = draw(random, 1.0, rows, 5), one_hot(random, rows, 3)
    golden = {
        "inputCount": 5, "layers": layers, "loss": {"type": "crossEntropy"},
        "fit": {
            "epochs": epochs, "batchSize": batch_size, "optimizer": "adam", "learningRate": learning_rate,
            "schedule": {"type": "cosine", "epochs": epochs, "minimum": 0}, "shuffle": False,
        },
        "inputs": inputs.tolist(), "targets": targets.tolist(), "initialParameters": network.values(),
    }
    optimizer = torch.optim.Adam(network.all_parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs, eta_min=0)
    learning_rates, epoch_losses = [], []
    for _ in range(epochs):
        learning_rates.append(optimizer.param_groups[0]["lr"])
        total = 0.0
        for start in range(0, rows, batch_size):
            x, t = inputs[start : start + batch_size], targets[start : start + batch_size]
            optimizer.zero_grad()
            loss = network.data_loss(*network.forward(x, training=True), t)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        schedule.step()
        epoch_losses.append(total / rows)
    with torch.no_grad():
        logits, predictions = network.forward(inputs, training=False)
        final_loss = network.data_loss(logits, predictions, targets).item()
    return {
        **golden, "learningRates": learning_rates, "losses": epoch_losses, "finalParameters": network.values(),
        "finalRunningStatistics": network.statistics(), "predictions": predictions.tolist(), "evaluatedLoss": final_loss,
    }


def make():
    return {
        "about": "Forward and backward passes of whole networks in training mode, and twenty epochs of Adam with batch "
        "normalization and a cosine schedule (PyTorch, float64).",
        "notes": [
            "z = x W^T + b, weights[j][i] multiplies input i in neuron j; normalization comes before the activation: "
            "gamma * (z - mean) / sqrt(variance + 1e-5) + beta, with the biased variance of the batch (or of the row).",
            "running = 0.9 running + 0.1 batch, with the unbiased variance of the batch, from mean 0 and variance 1 (PyTorch).",
            "'gradients' are those of dataLoss + penalty, penalty = sum over layers of l1 sum |W| + l2/2 sum W^2, without biases.",
            "'logits' enter the output activation. 'predictions' use the running statistics after the pass, as predict does.",
            "A bias before batch normalization has gradient zero; the file has its rounding noise: compare absolutely.",
            "training: 'losses' are means over the examples of the batch losses before each update; 'evaluatedLoss' is the loss "
            "of the final network with running statistics.",
        ],
        "networks": [forward_backward(seed, *network) for seed, network in enumerate(NETWORKS, 1)],
        "training": training(),
    }
