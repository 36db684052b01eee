"""activations.json: f(x) and f'(x) of every activation but softmax.

Every number is computed twice: by PyTorch (f' by autograd) and by mpmath with 60 digits from the formula below. The file
holds the mpmath value rounded to the nearest double. Where PyTorch is off by more than 1e-13 relative (its formula cancels,
underflows early or gives NaN at an extreme point) its own value is kept in "replaced", to show what was not taken from it.
"""

import math

import torch
import torch.nn.functional as F
from mpmath import mp, mpf

from common import tensor

mp.dps = 60

EXTREMES = [0.0, 1e-300, 1e-8, 0.5, 1.0, 2.999999, 3.0, 3.000001, 6.0, 6.1, 20.5, 40.0, 800.0]
BETWEEN = [
    -33.71, -19.03, -12.48, -9.613, -7.77, -6.42, -5.381, -4.639, -4.12, -3.57, -2.713, -2.289, -1.87, -1.613, -1.19,
    -0.847, -0.691, -0.338, -0.127, -0.0413, -0.00217, 0.000983, 0.0191, 0.0873, 0.219, 0.377, 0.613, 0.799, 1.137,
    1.441, 1.93, 2.31, 2.77, 3.43, 4.057, 4.71, 5.53, 5.999, 7.29, 8.83, 11.17, 16.9, 27.3,
]
GRID = [-x for x in reversed(EXTREMES)] + EXTREMES + BETWEEN  # -0.0 comes before 0.0

SELU_ALPHA = mpf("1.6732632423543772848170429916717")
SELU_SCALE = mpf("1.0507009873554804934193349852946")


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def sigmoid_slope(x):
    """s(x) (1 - s(x)) without cancellation."""
    return sigmoid(x) * sigmoid(-x)


def softplus(x):
    return max(x, mpf(0)) + mp.log1p(mp.exp(-abs(x)))


def normal_cdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def normal_pdf(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def clamp(x, low, high):
    return min(max(x, mpf(low)), mpf(high))


def elu(alpha, scale=1):
    alpha, scale = mpf(alpha), mpf(scale)
    return (
        lambda x: scale * (x if x > 0 else alpha * mp.expm1(x)),
        lambda x: scale * (1 if x > 0 else alpha * mp.exp(x)),
    )


def leaky_relu(alpha):
    alpha = mpf(alpha)
    return lambda x: x if x > 0 else alpha * x, lambda x: 1 if x > 0 else alpha


def mish_slope(x):
    t = softplus(x)
    return mp.tanh(t) + x * mp.sech(t) ** 2 * sigmoid(x)


# name, alpha, PyTorch, f, f'. The comparisons in f' are strict or not as in PyTorch; see KINKS.
ACTIVATIONS = [
    ("linear", None, lambda x: x * 1, lambda x: x, lambda x: 1),
    ("sigmoid", None, torch.sigmoid, sigmoid, sigmoid_slope),
    ("tanh", None, torch.tanh, mp.tanh, lambda x: mp.sech(x) ** 2),
    ("relu", None, F.relu, lambda x: max(x, mpf(0)), lambda x: int(x > 0)),
    ("leakyRelu", 0.01, lambda x: F.leaky_relu(x, 0.01), *leaky_relu(0.01)),
    ("leakyRelu", 0.2, lambda x: F.leaky_relu(x, 0.2), *leaky_relu(0.2)),
    ("elu", 1.0, lambda x: F.elu(x, 1.0), *elu(1.0)),
    ("elu", 0.5, lambda x: F.elu(x, 0.5), *elu(0.5)),
    ("selu", None, F.selu, *elu(SELU_ALPHA, SELU_SCALE)),
    ("gelu", None, F.gelu, lambda x: x * normal_cdf(x), lambda x: normal_cdf(x) + x * normal_pdf(x)),
    ("silu", None, F.silu, lambda x: x * sigmoid(x), lambda x: sigmoid(x) + x * sigmoid_slope(x)),
    ("mish", None, F.mish, lambda x: x * mp.tanh(softplus(x)), mish_slope),
    # F.softplus becomes x above 20; log(e^x + e^0) does not.
    ("softplus", None, lambda x: torch.logaddexp(x, torch.zeros_like(x)), softplus, sigmoid),
    ("softsign", None, F.softsign, lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2),
    ("hardSigmoid", None, F.hardsigmoid, lambda x: clamp(x + 3, 0, 6) / 6, lambda x: mpf(abs(x) < 3) / 6),
    ("hardTanh", None, F.hardtanh, lambda x: clamp(x, -1, 1), lambda x: int(abs(x) < 1)),
    ("relu6", None, F.relu6, lambda x: clamp(x, 0, 6), lambda x: int(0 < x < 6)),
]

# f' where the left and right derivatives differ, by PyTorch's convention; make() asserts each.
KINKS = {
    "relu": [{"x": 0.0, "df": 0.0, "rule": "0 at 0"}],
    "leakyRelu": [{"x": 0.0, "df": "alpha", "rule": "the slope of the negative side at 0"}],
    "elu": [{"x": 0.0, "df": "alpha", "rule": "the slope of the negative side at 0"}],
    "selu": [{"x": 0.0, "df": float(SELU_ALPHA * SELU_SCALE), "rule": "the slope of the negative side at 0"}],
    "hardSigmoid": [{"x": x, "df": 0.0, "rule": "1/6 only strictly between -3 and 3"} for x in (-3.0, 3.0)],
    "hardTanh": [{"x": x, "df": 0.0, "rule": "1 only strictly between -1 and 1"} for x in (-1.0, 1.0)],
    "relu6": [{"x": x, "df": 0.0, "rule": "1 only strictly between 0 and 6"} for x in (0.0, 6.0)],
}


def nearest(exact, by_torch):
    """The double to write, and whether it had to replace PyTorch's."""
    value = float(exact)
    if value == by_torch:
        return by_torch, False  # the same number; keeps PyTorch's sign of a zero
    return value, not abs(by_torch - value) <= 1e-13 * abs(value)  # `not <=` also catches NaN


def tabulate(name, alpha, by_torch, f, df):
    x = tensor(GRID, requires_grad=True)
    y = by_torch(x)
    (slope_of_y,) = torch.autograd.grad(y.sum(), x)
    row = {"activation": name, **({} if alpha is None else {"alpha": alpha}), "f": [], "df": [], "replaced": []}
    for what, exact, values in [("f", f, y.tolist()), ("df", df, slope_of_y.tolist())]:
        for point, torch_value in zip(GRID, values):
            value, replaced = nearest(exact(mpf(point)), torch_value)
            row[what].append(value)
            if replaced:
                shown = torch_value if math.isfinite(torch_value) else str(torch_value)
                row["replaced"].append({"of": what, "x": point, "torch": shown})
    for kink in KINKS.get(name, []):
        expected = alpha if kink["df"] == "alpha" else kink["df"]
        for i in [i for i, point in enumerate(GRID) if point == kink["x"]]:  # both zeros
            assert math.isclose(slope_of_y[i].item(), expected, rel_tol=1e-13), (name, kink)
            assert math.isclose(row["df"][i], expected, rel_tol=1e-13), (name, kink)
    return row


def make():
    return {
        "about": "f(x) and f'(x) of every activation on the grid x, each value the nearest double to the exact one "
        "(mpmath, 60 digits), checked against PyTorch to 1e-13 relative except at the points under 'replaced'.",
        "notes": [
            "softplus is the exact log1p(exp(x)); PyTorch's threshold of 20 is not used.",
            "gelu is the exact x * Phi(x) with erf; hardSigmoid is PyTorch's clamp(x + 3, 0, 6) / 6.",
            "'replaced' lists where PyTorch itself is off by more than 1e-13 relative, and what it gives there.",
            "A formula such as s * (1 - s) stays within 1e-15 absolute of every value; to demand relative accuracy of it, skip "
            "'replaced'. hardSigmoid is there because PyTorch's slope is 1/6 rounded to single precision.",
            "The sign of a result that is zero is PyTorch's and carries no meaning.",
        ],
        "kinks": KINKS,
        "x": GRID,
        "cases": [tabulate(*row) for row in ACTIVATIONS],
    }
