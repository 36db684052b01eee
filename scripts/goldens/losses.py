"""losses.json: value and gradient of every loss, with its options, on four batches.

PyTorch's function where it has one; logCosh, hinge and quantile from their formulas, as Keras has them.
The gradient is with respect to the network's outputs; for the two cross entropies, to the logits.
"""

import math

import torch
import torch.nn.functional as F
from mpmath import mp, mpf

from common import tensor

mp.dps = 60

# Outputs and real-valued targets, never on a kink (equal, 1 - t y = 0, |y - t| = delta); make() asserts it.
OUTPUTS = {
    "1x1": [[0.3718]],
    "4x3": [[0.8123, -1.4377, 0.2914], [2.1836, 0.0471, -0.6629], [-0.5512, 1.2684, 3.0717], [-2.2491, 0.9133, -0.1386]],
    "5x4": [
        [0.1477, -0.8264, 1.9371, 0.4428], [-1.3196, 0.5283, 0.0794, -2.7145], [2.4061, -0.3357, -1.1618, 0.9742],
        [0.6689, 1.1543, -0.2231, -0.7916], [-0.0852, -1.8427, 0.3365, 5.1274],
    ],
}
TARGETS = {
    "1x1": [[-0.2246]],
    "4x3": [[1.0412, -1.2958, -0.9173], [1.3347, 0.2186, -0.7412], [0.6825, 1.1191, 1.4763], [-2.1037, 0.1648, 0.8829]],
    "5x4": [
        [0.9264, -0.7318, 1.2157, -0.3391], [-1.1084, 0.2846, 0.8713, 0.1962], [1.7253, -0.2419, -1.4867, 0.4106],
        [0.0137, 1.2981, 0.5174, -0.9625], [-0.4731, -1.6508, 0.1872, 2.3349],
    ],
}
SAMPLE_WEIGHTS = {"4x3": [0.5, 2.0, 0.0, 1.3], "5x4": [1.0, 0.25, 3.0, 0.7, 1.9]}

# Class probabilities: certain and uncertain rows.
CLASS_OUTPUTS = {**OUTPUTS, "1x2": [[0.3718, -0.9044]]}
CLASS_TARGETS = {
    "1x2": [[0.0, 1.0]],
    "4x3": [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.2, 0.5, 0.3], [0.0, 1.0, 0.0]],
    "5x4": [
        [0.0, 0.0, 1.0, 0.0], [0.25, 0.25, 0.25, 0.25], [0.0, 1.0, 0.0, 0.0], [0.1, 0.0, 0.6, 0.3], [0.0, 0.0, 0.0, 1.0],
    ],
}
EXTREME_LOGITS = [
    [1e4, -1e4, 0.0], [-1e4, 1e4, 0.0], [40.0, -40.0, 0.0], [-40.0, 40.0, 1e4], [0.0, 0.0, 0.0], [-1e4, -1e4, -1e4],
]
EXTREME_CLASSES = [
    [1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.25, 0.25], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0],
]
BINARY_TARGETS = {
    "1x1": [[1.0]],
    "4x3": [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.3, 1.0, 1.0], [0.0, 0.9, 0.0]],
    "5x4": [[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0], [1.0, 0.5, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.1, 0.0]],
}
EXTREME_BINARY = [
    [1.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.5], [0.75, 0.25, 1.0], [0.0, 1.0, 0.5], [0.0, 1.0, 0.2],
]


def positive(rows):
    return [[round(math.exp(value), 4) for value in row] for row in rows]


def signs(rows):
    return [[math.copysign(1.0, value) for value in row] for row in rows]


# Each function gives one row of losses per example (outputs y, targets t), or one loss per example.
def squared_error(y, t):
    return ((y - t) ** 2).sum(1) / 2


def mse(y, t):
    return F.mse_loss(y, t, reduction="none")


def mae(y, t):
    return F.l1_loss(y, t, reduction="none")


def huber(y, t, delta=1.0):
    return F.huber_loss(y, t, delta=delta, reduction="none")


def log_cosh(y, t):
    d = (y - t).abs()
    return d + torch.log1p(torch.exp(-2 * d)) - math.log(2)


def poisson(y, t):
    return F.poisson_nll_loss(y, t, log_input=False, full=False, eps=1e-8, reduction="none")


def hinge(y, t):
    return torch.relu(1 - t * y)


def quantile(y, t, level=0.5):
    return torch.maximum(level * (t - y), (level - 1) * (t - y))


def cross_entropy(z, t, labelSmoothing=0.0):
    return F.cross_entropy(z, t, label_smoothing=labelSmoothing, reduction="none")


def binary_cross_entropy(z, t, positiveWeight=1.0):
    return F.binary_cross_entropy_with_logits(z, t, pos_weight=tensor(positiveWeight), reduction="none")


LOSSES = {
    "squaredError": squared_error, "mse": mse, "mae": mae, "huber": huber, "logCosh": log_cosh, "poisson": poisson,
    "hinge": hinge, "quantile": quantile, "crossEntropy": cross_entropy, "binaryCrossEntropy": binary_cross_entropy,
}
FORMULAS = {
    "squaredError": "mean over examples of 1/2 sum_k (y_k - t_k)^2",
    "mse": "mean over examples and outputs of (y - t)^2",
    "mae": "mean over examples and outputs of |y - t|",
    "huber": "mean over examples and outputs of (y - t)^2 / 2 where |y - t| <= delta, else delta (|y - t| - delta / 2)",
    "logCosh": "mean over examples and outputs of log(cosh(y - t))",
    "poisson": "mean over examples and outputs of y - t log(y + 1e-8)",
    "hinge": "mean over examples and outputs of max(0, 1 - t y), t in {-1, 1}",
    "quantile": "mean over examples and outputs of max(level (t - y), (level - 1) (t - y))",
    "crossEntropy": "mean over examples of -sum_k s_k log softmax(z)_k, s = (1 - labelSmoothing) t + labelSmoothing / classes",
    "binaryCrossEntropy": "mean over examples and outputs of -(positiveWeight t log sigmoid(z) + (1 - t) log(1 - sigmoid(z)))",
}


def case(loss, options, batch, outputs, targets, sample_weights=None):
    y, t = tensor(outputs, requires_grad=True), tensor(targets)
    per_example = LOSSES[loss](y, t, **options)
    if per_example.dim() == 2:
        per_example = per_example.mean(1)
    w = tensor(sample_weights or [1.0] * len(outputs))
    value = (w * per_example).sum() / w.sum()
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(y.grad).all()
    return {
        "loss": loss, "options": options, "batch": batch, "outputs": outputs, "targets": targets,
        **({"sampleWeights": sample_weights} if sample_weights else {}),
        "value": value.item(), "gradient": y.grad.tolist(),
    }


def real_valued():
    for loss, options in [
        ("squaredError", {}), ("mse", {}), ("mae", {}), ("huber", {"delta": 1.0}), ("huber", {"delta": 0.3}), ("logCosh", {}),
        ("poisson", {}), ("hinge", {}), ("quantile", {"level": 0.5}), ("quantile", {"level": 0.9}),
    ]:
        for batch in OUTPUTS:
            outputs, targets = OUTPUTS[batch], TARGETS[batch]
            if loss == "poisson":
                outputs, targets = positive(outputs), positive(targets)
            if loss == "hinge":
                targets = signs(targets)
            check_no_kink(loss, options, outputs, targets)
            yield case(loss, options, batch, outputs, targets)


def check_no_kink(loss, options, outputs, targets):
    d, product = tensor(outputs) - tensor(targets), tensor(outputs) * tensor(targets)
    distance = {"huber": d.abs() - options.get("delta", 0.0), "hinge": 1 - product}.get(loss, d)
    assert distance.abs().min() > 1e-3, loss


def classes():
    for smoothing in (0.0, 0.1):
        options = {"labelSmoothing": smoothing}
        for batch, targets in CLASS_TARGETS.items():
            yield case("crossEntropy", options, batch, CLASS_OUTPUTS[batch], targets)
        yield case("crossEntropy", options, "extreme", EXTREME_LOGITS, EXTREME_CLASSES)
    for weight in (1.0, 2.5):
        options = {"positiveWeight": weight}
        for batch, targets in BINARY_TARGETS.items():
            yield case("binaryCrossEntropy", options, batch, OUTPUTS[batch], targets)
        yield case("binaryCrossEntropy", options, "extreme", EXTREME_LOGITS, EXTREME_BINARY)


def weighted():
    for batch, weights in SAMPLE_WEIGHTS.items():
        yield case("squaredError", {}, batch, OUTPUTS[batch], TARGETS[batch], weights)
        yield case("mse", {}, batch, OUTPUTS[batch], TARGETS[batch], weights)
        yield case("crossEntropy", {"labelSmoothing": 0.0}, batch, CLASS_OUTPUTS[batch], CLASS_TARGETS[batch], weights)
        yield case("crossEntropy", {"labelSmoothing": 0.1}, batch, CLASS_OUTPUTS[batch], CLASS_TARGETS[batch], weights)
        yield case("binaryCrossEntropy", {"positiveWeight": 2.5}, batch, OUTPUTS[batch], BINARY_TARGETS[batch], weights)


def check_extreme(golden):
    """The extreme batches again from the definition with 60 digits: PyTorch's stable forms must agree."""
    z, t, options = golden["outputs"], golden["targets"], golden["options"]
    n, k = len(z), len(z[0])
    total = mpf(0)
    for i, (row, goals) in enumerate(zip(z, t)):
        row, goals = [mpf(v) for v in row], [mpf(v) for v in goals]
        if golden["loss"] == "crossEntropy":
            smooth = mpf(options["labelSmoothing"])
            goals = [(1 - smooth) * goal + smooth / k for goal in goals]
            log_sum = max(row) + mp.log(sum(mp.exp(v - max(row)) for v in row))
            total += sum(goal * (log_sum - v) for goal, v in zip(goals, row)) / n
            gradient = [(mp.exp(v - log_sum) - goal) / n for goal, v in zip(goals, row)]
        else:
            weight = mpf(options["positiveWeight"])
            softplus = lambda v: max(v, mpf(0)) + mp.log1p(mp.exp(-abs(v)))
            total += sum(weight * goal * softplus(-v) + (1 - goal) * softplus(v) for goal, v in zip(goals, row)) / (n * k)
            s = [1 / (1 + mp.exp(-v)) for v in row]
            gradient = [((1 - goal) * p - weight * goal * (1 - p)) / (n * k) for goal, p in zip(goals, s)]
        for exact, value in zip(gradient, golden["gradient"][i]):
            assert abs(exact - value) < 1e-15, golden["loss"]
    assert abs(total - golden["value"]) <= 1e-14 * total, golden["loss"]


def make():
    cases = [*real_valued(), *classes(), *weighted()]
    for golden in cases:
        if golden["batch"] == "extreme":
            check_extreme(golden)
    return {
        "about": "Value and gradient of every loss (PyTorch where it has it; logCosh, hinge and quantile from their formulas).",
        "notes": [
            "'outputs' are the network's outputs; for crossEntropy and binaryCrossEntropy the logits. 'gradient' has the shape of "
            "'outputs' and is the derivative of 'value' with respect to them.",
            "With sampleWeights the value is sum_i w_i L_i / sum_i w_i, L_i the loss of example i; without, all are 1.",
            "Compare gradients absolutely, by about 1e-15: differences such as sigmoid(40) - 1 are rounded.",
            "No value lies on a kink of mae, huber, hinge or quantile.",
        ],
        "formulas": FORMULAS,
        "cases": cases,
    }
