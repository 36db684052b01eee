"""optimizers.json: the parameters along ten steps of every optimizer, and along L-BFGS runs.

The gradients are a fixed list, the same whatever the parameters are, so that a trajectory tests the optimizer alone.
The fifth parameter's gradients are about as small as the epsilons: a misplaced epsilon shows.
"""

import inspect

import torch
from torch import optim

from common import tensor

START = [0.7312, -1.2847, 0.0419, 2.6173, -0.3381, -0.8926]
GRADIENTS = [
    [0.4127, -1.3391, 0.0873, 2.7119, 3.1e-8, -0.6254],
    [0.3518, -0.9472, -0.1246, 1.8834, 1.7e-8, 0.2291],
    [-0.2093, -1.1128, 0.2317, 3.4421, -2.3e-8, 0.7713],
    [0.1187, 0.0, 0.0542, 0.9716, 4.9e-7, -0.3388],
    [0.0631, -0.0427, -0.0193, 0.1275, -1.2e-9, 0.0814],  # a norm under 0.5: clipping leaves it alone
    [-0.5376, 0.6219, 0.3861, -1.4153, 8.8e-8, 1.2937],
    [-0.7724, 1.1846, 0.1157, -2.2682, 6.4e-8, 0.9142],
    [0.2945, 0.8733, -0.4479, 0.5537, -3.7e-7, -1.0366],
    [0.9861, -0.3174, -0.2738, 4.1296, 1.1e-8, -0.1759],
    [0.6448, -0.7583, 0.1624, 3.0587, 2.6e-8, 0.4485],
]

# PyTorch's names of what mikir calls something else, and of pairs that mikir splits.
RENAMED = {"lr": "learningRate", "eps": "epsilon", "initial_accumulator_value": "initialAccumulator"}
PAIRS = {"betas": ("beta1", "beta2"), "etas": ("etaMinus", "etaPlus"), "step_sizes": ("stepMin", "stepMax")}
IRRELEVANT = {"maximize", "foreach", "differentiable", "fused", "capturable", "decoupled_weight_decay"}


class Lion(optim.Optimizer):
    """Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", algorithm 2; PyTorch has none."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            lr, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                c = beta1 * m + (1 - beta1) * p.grad
                p -= lr * (c.sign() + decay * p)
                m.copy_(beta2 * m + (1 - beta2) * p.grad)


# mikir's name: the class, and what is fixed in it. The momentum of 0.9 is mikir's default; SGD's own is 0.
OPTIMIZERS = {
    "sgd": (optim.SGD, {}),
    "momentum": (optim.SGD, {"momentum": 0.9}),
    "nesterov": (optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "rmsprop": (optim.RMSprop, {}),
    "adagrad": (optim.Adagrad, {}),
    "adadelta": (optim.Adadelta, {}),
    "adam": (optim.Adam, {}),
    "adamw": (optim.AdamW, {}),
    "nadam": (optim.NAdam, {}),
    "radam": (optim.RAdam, {}),
    "lion": (Lion, {}),
    "rprop": (optim.Rprop, {}),
}

# name, what differs from the defaults (PyTorch's names), clipNorm
CASES = [
    ("sgd", {}, None),
    ("sgd", {"lr": 0.05}, None),
    ("sgd", {"lr": 0.05, "weight_decay": 0.03}, None),
    ("sgd", {"lr": 0.05}, 0.5),
    ("momentum", {}, None),
    ("momentum", {"lr": 0.02}, None),
    ("momentum", {"lr": 0.02, "dampening": 0.1}, None),
    ("momentum", {"lr": 0.02, "weight_decay": 0.03}, None),
    ("momentum", {"lr": 0.02, "momentum": 0.5, "dampening": 0.2, "weight_decay": 0.03}, None),
    ("nesterov", {}, None),
    ("nesterov", {"lr": 0.02}, None),
    ("nesterov", {"lr": 0.02, "weight_decay": 0.03}, None),
    ("rmsprop", {}, None),
    ("rmsprop", {"alpha": 0.9, "eps": 1e-6}, None),
    ("rmsprop", {"centered": True}, None),
    ("rmsprop", {"momentum": 0.9}, None),
    ("rmsprop", {"weight_decay": 0.03}, None),
    ("rmsprop", {"centered": True, "momentum": 0.9, "weight_decay": 0.03}, None),
    ("adagrad", {}, None),
    ("adagrad", {"lr_decay": 0.1}, None),
    ("adagrad", {"initial_accumulator_value": 0.3}, None),
    ("adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.03}, None),
    ("adadelta", {}, None),
    ("adadelta", {"weight_decay": 0.03}, None),
    ("adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-4}, None),
    ("adam", {}, None),
    ("adam", {"lr": 0.1}, None),
    ("adam", {"weight_decay": 0.03}, None),
    ("adam", {"amsgrad": True}, None),
    ("adam", {"amsgrad": True, "betas": (0.9, 0.8)}, None),  # the second moment falls, so that its maximum matters
    ("adam", {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-4}, None),
    ("adam", {}, 0.5),
    ("adamw", {}, None),
    ("adamw", {"weight_decay": 0.1}, None),
    ("adamw", {"amsgrad": True}, None),
    ("nadam", {}, None),
    ("nadam", {"weight_decay": 0.03}, None),
    ("nadam", {"lr": 0.02, "momentum_decay": 0.02}, None),
    ("radam", {}, None),
    ("radam", {"weight_decay": 0.03}, None),
    ("radam", {"lr": 0.01, "betas": (0.8, 0.95)}, None),
    ("lion", {}, None),
    ("lion", {"weight_decay": 0.1}, None),
    ("lion", {"lr": 0.01, "betas": (0.95, 0.98)}, None),
    ("rprop", {}, None),
    ("rprop", {"lr": 0.1, "etas": (0.4, 1.5), "step_sizes": (0.05, 0.3)}, None),
]


def camel_case(options):
    """PyTorch's options under mikir's names."""
    renamed = {}
    for name, value in options.items():
        if name in PAIRS:
            renamed.update(zip(PAIRS[name], value))
        elif name not in IRRELEVANT and name != "nesterov":
            head, *rest = name.split("_")
            renamed[RENAMED.get(name, head + "".join(word.title() for word in rest))] = value
    return renamed


def defaults(name):
    optimizer, fixed = OPTIMIZERS[name]
    signature = inspect.signature(optimizer.__init__).parameters.values()
    options = {p.name: p.default for p in signature if p.default is not p.empty}
    if name == "sgd":  # has no momentum; those that have are optimizers of their own in mikir
        options = {key: options[key] for key in ("lr", "weight_decay")}
    if name == "nesterov":  # PyTorch refuses it with dampening
        del options["dampening"]
    return camel_case({**options, **fixed})


def trajectory(name, options, clip_norm):
    optimizer_class, fixed = OPTIMIZERS[name]
    p = tensor(START, requires_grad=True)
    optimizer = optimizer_class([p], **{**fixed, **options})
    params = [p.tolist()]
    for gradient in GRADIENTS:
        p.grad = tensor(gradient)
        if clip_norm:
            torch.nn.utils.clip_grad_norm_([p], clip_norm)
        optimizer.step()
        params.append(p.tolist())
    clip = {"clipNorm": clip_norm} if clip_norm else {}
    return {"optimizer": name, "options": camel_case(options), **clip, "params": params}


# --- L-BFGS ------------------------------------------------------------------------------------------------------------

# max_iter, max_eval, calls. A line search may use what is left of max_eval, whose default is 1.25 max_iter: with an
# iteration a call that is nothing and the point cannot move, so there it is 26, which leaves the usual 25.
LBFGS_RUNS = [(1, 26, 10), (20, 25, 1), (20, 1000, 3)]

QUARTIC = {
    "hessian": [
        [4.0, 1.0, 0.5, 0.0, -0.5],
        [1.0, 3.0, 0.25, -0.75, 0.0],
        [0.5, 0.25, 6.0, 1.5, 0.5],
        [0.0, -0.75, 1.5, 2.5, 0.25],
        [-0.5, 0.0, 0.5, 0.25, 9.0],
    ],
    "linear": [1.0, -2.0, 0.5, 3.0, -1.5],
    "quartic": [0.1, 0.02, 0.5, 0.03, 0.2],
}


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def quartic(x):
    a, b, c = (tensor(QUARTIC[key]) for key in ("hessian", "linear", "quartic"))
    return x @ a @ x / 2 - b @ x + (c * x**4).sum()


def minimize(function, start, max_iter, max_eval, calls):
    """The point, the value there and the counts after each call of step()."""
    x = tensor(start, requires_grad=True)
    optimizer = optim.LBFGS(
        [x], lr=1, max_iter=max_iter, max_eval=max_eval, history_size=10, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        value = function(x)
        value.backward()
        return value

    steps = []
    for _ in range(calls):
        optimizer.step(closure)
        state = optimizer.state[x]
        steps.append({
            "params": x.tolist(), "value": function(x).item(),
            "iterations": state["n_iter"], "evaluations": state["func_evals"],
        })
    options = {
        "learningRate": 1, "maxIterations": max_iter, "maxEvaluations": max_eval,
        "historySize": 10, "toleranceGradient": 1e-7, "toleranceChange": 1e-9, "lineSearch": "strongWolfe",
    }
    return {"options": options, "calls": steps}


def lbfgs():
    problems = [
        ("rosenbrock", "(1 - x0)^2 + 100 (x1 - x0^2)^2", rosenbrock, [-1.2, 1.0], {}),
        ("quartic", "1/2 x'Ax - b'x + sum_i c_i x_i^4 (A hessian, b linear, c quartic)", quartic,
         [1.5, -2.0, 0.75, 3.0, -1.0], QUARTIC),
    ]
    return [
        {
            "problem": name, "formula": formula, "coefficients": coefficients,
            "start": start, "startValue": function(tensor(start)).item(),
            "runs": [minimize(function, start, *run) for run in LBFGS_RUNS],
        }
        for name, formula, function, start, coefficients in problems
    ]


def make():
    return {
        "about": "Parameters before and after each of ten steps of every optimizer with given gradients (torch.optim; lion "
        "from its paper), and L-BFGS with strong Wolfe line search on two functions.",
        "notes": [
            "An option that a case does not name has the value under 'defaults', which are PyTorch's, except that momentum "
            "and nesterov are SGD with a momentum of 0.9, and lion's are the paper's.",
            "clipNorm is torch.nn.utils.clip_grad_norm_: g *= min(1, clipNorm / (|g| + 1e-6)), before the step; the 1e-6 matters.",
            "weightDecay is added to the gradient (L2), in adamw and lion it shrinks the parameters directly.",
            "rprop starts from steps of learningRate.",
            "lbfgs: each call is one step() of torch.optim.LBFGS, which keeps its state from one call to the next and evaluates "
            "the function once on entry; iterations and evaluations are counted from the start. 'value' is at 'params'.",
            "lbfgs: maxEvaluations is of one call and bounds the line search too: a search stops when the call has used it up.",
        ],
        "defaults": {name: defaults(name) for name in OPTIMIZERS},
        "start": START,
        "gradients": GRADIENTS,
        "cases": [trajectory(*case) for case in CASES],
        "lbfgs": lbfgs(),
    }
