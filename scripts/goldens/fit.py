"""fit.json: whole runs of training that `fit` repeats: losses, learning rates and final weights.

The networks are those of network.py; optimizers and schedules are PyTorch's. A step takes the gradient of

    sum_i c_i E_i / sum_i c_i + penalty        over the rows i of a batch, c_i their weights (1 without any)

and what is recorded is the first summand alone, before the step; an epoch's loss is its mean over the batches,
each counted by its sum of weights. Plain SGD is done once more with NumPy, backpropagation written out.
"""

import copy
import math
from functools import partial

import numpy as np
import torch
from torch import optim
from torch.optim import lr_scheduler

import losses
from common import tensor
from network import FUSED, Network, draw, layer, make_targets
from optimizers import OPTIMIZERS, camel_case

LBFGS = partial(optim.LBFGS, line_search_fn="strong_wolfe")  # the only line search of mikir
LBFGS_WORDS = {"maxIter": "maxIterations", "maxEval": "maxEvaluations"}


# --- the training loop -------------------------------------------------------------------------------------------------


def losses_of_rows(network, inputs, targets, training):
    logits, outputs = network.forward(inputs, training)
    rows = losses.LOSSES[network.loss](logits if network.loss in FUSED else outputs, targets, **network.loss_options)
    return rows.mean(1) if rows.dim() == 2 else rows


def evaluate(network, inputs, targets):
    with torch.no_grad():
        return losses_of_rows(network, inputs, targets, training=False).mean().item()


def weights_of_rows(targets, options):
    weights = tensor(options.get("sampleWeights", [1.0] * len(targets)))
    if "classWeights" in options:
        classes = tensor(options["classWeights"])
        one_hot = targets if targets.shape[1] > 1 else torch.cat([1 - targets, targets], 1)
        weights = weights * (one_hot @ classes)
    return weights


def scheduler_of(optimizer, schedule, rate, epochs):
    """PyTorch's scheduler; cosine with its warmup from the formula."""
    options = {name: value for name, value in schedule.items() if name != "type"}

    def cosine(e, minimum=0.0, warmup=0):
        if e < warmup:
            return (e + 1) / warmup
        return (minimum + (rate - minimum) / 2 * (1 + math.cos(math.pi * (e - warmup) / (epochs - warmup)))) / rate

    return {
        "constant": lambda: lr_scheduler.ConstantLR(optimizer, factor=1.0),
        "step": lambda every, factor: lr_scheduler.StepLR(optimizer, step_size=every, gamma=factor),
        "exponential": lambda factor: lr_scheduler.ExponentialLR(optimizer, gamma=factor),
        "cosine": lambda **options: lr_scheduler.LambdaLR(optimizer, lambda e: cosine(e, **options)),
        "oneCycle": lambda maximum, warmup=0.3: lr_scheduler.OneCycleLR(
            optimizer, max_lr=maximum, total_steps=epochs, pct_start=warmup, cycle_momentum=False),
        "plateau": lambda factor, patience, minimum=0.0: lr_scheduler.ReduceLROnPlateau(
            optimizer, factor=factor, patience=patience, min_lr=minimum),
    }[schedule["type"]](**options)


def held_out(inputs, targets, validation):
    """The rows to train on, and those held out: given ones, or the last of all without shuffling."""
    if isinstance(validation, dict):
        return inputs, targets, tensor(validation["inputs"]), tensor(validation["targets"])
    count = len(inputs) - round((validation or 0) * len(inputs))
    return inputs[:count], targets[:count], inputs[count:], targets[count:]


def fit(network, inputs, targets, options, optimizer_class, settings):
    """The history of `fit` with mikir's options; `settings` are the optimizer's in PyTorch's words."""
    rows, goals, held_rows, held_goals = held_out(inputs, targets, options.get("validation"))
    weights = weights_of_rows(goals, options)
    batch_size = options.get("batchSize", "full")  # L-BFGS alone has this default
    batch_size = len(rows) if batch_size == "full" else batch_size
    parameters = network.all_parameters()
    rate = {"lr": options["learningRate"]} if "learningRate" in options else {}
    optimizer = optimizer_class(parameters, **rate, **settings)
    schedule = options.get("schedule", {"type": "constant"})
    scheduler = scheduler_of(optimizer, schedule, optimizer.param_groups[0]["lr"], options["epochs"])
    stopping = options.get("earlyStopping")
    history = {"loss": [], "validationLoss": [], "learningRates": [], "bestEpoch": 0, "stoppedBy": "epochs"}
    norms, best, best_state = [], math.inf, None

    for epoch in range(1, options["epochs"] + 1):
        history["learningRates"].append(optimizer.param_groups[0]["lr"])
        total = 0.0
        for start in range(0, len(rows), batch_size):
            batch = slice(start, start + batch_size)
            c = weights[batch]
            recorded = []

            def closure():
                optimizer.zero_grad()
                data_loss = (c * losses_of_rows(network, rows[batch], goals[batch], training=True)).sum() / c.sum()
                objective = data_loss + network.penalty()
                objective.backward()
                if "clipNorm" in options:
                    norms.append(torch.nn.utils.clip_grad_norm_(parameters, options["clipNorm"]).item())
                recorded.append(data_loss.item())
                return objective

            if isinstance(optimizer, optim.LBFGS):
                optimizer.step(closure)
            else:
                closure()
                optimizer.step()
            total += recorded[0] * c.sum().item()
        history["loss"].append(total / weights.sum().item())
        if len(held_rows):
            history["validationLoss"].append(evaluate(network, held_rows, held_goals))
        monitored = history["validationLoss" if len(held_rows) else "loss"][-1]
        scheduler.step(*([monitored] if schedule["type"] == "plateau" else []))
        if monitored < best - (stopping or {}).get("minDelta", 0):
            best, history["bestEpoch"], best_state = monitored, epoch, copy.deepcopy((network.parameters, network.running))
        if monitored <= options.get("targetLoss", -math.inf):
            history["stoppedBy"] = "targetLoss"
            break
        if stopping and epoch - history["bestEpoch"] >= max(stopping.get("patience", 10), 1):
            history["stoppedBy"] = "earlyStopping"
            break
    if stopping and stopping.get("restoreBest", True):
        network.parameters, network.running = best_state
    if norms:
        assert min(norms) < options["clipNorm"] < max(norms), "some gradients are clipped, and some are not"
    if not len(held_rows):
        del history["validationLoss"]
    return history


# --- the cases ---------------------------------------------------------------------------------------------------------


def weights_of(network):
    """As getWeights gives them."""
    return [{**values, **(running or {})} for values, running in zip(network.values(), network.statistics())]


def run(seed, name, input_count, rows, layers, loss, options, optimizer="sgd", settings={}, loss_options={}):
    random = np.random.default_rng(seed)
    network = Network(input_count, layers, loss, loss_options, random)
    inputs = draw(random, 1.0, rows, input_count)
    units = layers[-1]["units"]
    targets = make_targets(random, rows, units, loss)
    if layers[-1]["activation"] == "sigmoid" and loss == "squaredError":
        targets = tensor((random.integers(1, 9, (rows, units)) / 10).tolist())
    if loss == "hinge":
        targets = targets.sign()
    if loss == "poisson":
        targets = tensor(random.integers(0, 5, (rows, units)).astype(float).tolist())
    if options.get("validation") == "held out":
        held_inputs = draw(random, 1.0, 6, input_count)
        held_targets = make_targets(random, 6, units, loss)
        options = {**options, "validation": {"inputs": held_inputs.tolist(), "targets": held_targets.tolist()}}
    words = {LBFGS_WORDS.get(key, key): value for key, value in camel_case(settings).items()}
    chosen = {"type": optimizer, **words} if settings else optimizer
    options = {"shuffle": False, "optimizer": chosen, **options}
    optimizer_class, fixed = (LBFGS, {}) if optimizer == "lbfgs" else OPTIMIZERS[optimizer]
    train = lambda network: fit(network, inputs, targets, options, optimizer_class, {**fixed, **settings})
    case = {
        "name": name,
        "network": {"layers": [input_count, *layers], "loss": {"type": loss, **loss_options} if loss_options else loss},
        "initial": weights_of(network), "inputs": inputs.tolist(), "targets": targets.tolist(), "options": options,
    }
    nudged = nudge(network)
    history = train(network)
    case |= {"history": history, "weights": weights_of(network), "evaluatedLoss": evaluate(network, inputs, targets)}
    beside = train(nudged)
    assert all(history[key] == beside[key] for key in ("learningRates", "bestEpoch", "stoppedBy")), name
    moved = max(largest_difference(network.parameters, nudged.parameters), largest_difference(network.running, nudged.running))
    assert moved < SENSITIVITY * NUDGE, f"{name} makes an error {moved / NUDGE:.0f} times as large"
    if is_plain(case):
        check_by_hand(case)
    return case


NUDGE = 1e-10
SENSITIVITY = 100


def nudge(network):
    """The same network a hair beside: no case may lie on a kink or blow up rounding errors."""
    random = np.random.default_rng(0)
    other = copy.deepcopy(network)
    with torch.no_grad():
        for p in other.all_parameters():
            p += tensor((NUDGE * random.uniform(-1, 1, p.shape)).tolist())
    return other


def largest_difference(some, others):
    pairs = [(a[name], b[name]) for a, b in zip(some, others) if a for name in a]
    return max([(a - b).abs().max().item() for a, b in pairs], default=0.0)


# --- plain SGD by hand ---------------------------------------------------------------------------------------------------

DERIVATIVES = {  # f and, from a = f(z), f'
    "linear": (lambda z: z, lambda a: np.ones_like(a)),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda a: a * (1 - a)),
    "tanh": (np.tanh, lambda a: 1 - a * a),
    "relu": (lambda z: np.maximum(z, 0), lambda a: (a > 0) * 1.0),
    "softmax": (lambda z: np.exp(z) / np.exp(z).sum(1, keepdims=True), None),
}
LOSSES = {  # E of each row, and dE/da; for the last two dE/dz of their own output activation
    "squaredError": (lambda a, t: ((a - t) ** 2).sum(1) / 2, lambda a, t: a - t),
    "mse": (lambda a, t: ((a - t) ** 2).mean(1), lambda a, t: 2 * (a - t) / t.shape[1]),
    "crossEntropy": (lambda a, t: -(t * np.log(a)).sum(1), lambda a, t: a - t),
    "binaryCrossEntropy": (
        lambda a, t: -(t * np.log(a) + (1 - t) * np.log(1 - a)).mean(1), lambda a, t: (a - t) / t.shape[1]),
}


def is_plain(case):
    network, options = case["network"], case["options"]
    layers = all(layer["activation"] in DERIVATIVES and "normalization" not in layer for layer in network["layers"][1:])
    keys = {"epochs", "batchSize", "learningRate", "schedule", "optimizer", "shuffle"}
    return options["optimizer"] == "sgd" and layers and network["loss"] in tuple(LOSSES) and set(options) <= keys


def check_by_hand(case):
    """Reads the golden as a test would, and trains without PyTorch."""
    layers, loss, options = case["network"]["layers"][1:], case["network"]["loss"], case["options"]
    w = [np.array(p["weights"]) for p in case["initial"]]
    b = [np.array(p["biases"]) for p in case["initial"]]
    x, t = np.array(case["inputs"]), np.array(case["targets"])
    error, slope = LOSSES[loss]
    for epoch, rate in enumerate(case["history"]["learningRates"]):
        total = 0.0
        for start in range(0, len(x), options["batchSize"]):
            a, goals = [x[start : start + options["batchSize"]]], t[start : start + options["batchSize"]]
            for j, settings in enumerate(layers):
                a.append(DERIVATIVES[settings["activation"]][0](a[-1] @ w[j].T + b[j]))
            total += error(a[-1], goals).sum()
            delta = slope(a[-1], goals) / len(goals)
            for j in reversed(range(len(layers))):
                if not (j == len(layers) - 1 and loss in FUSED):
                    delta = delta * DERIVATIVES[layers[j]["activation"]][1](a[j + 1])
                dw, db = delta.T @ a[j], delta.sum(0)
                dw = dw + layers[j].get("l1", 0) * np.sign(w[j]) + layers[j].get("l2", 0) * w[j]
                delta = delta @ w[j]
                w[j], b[j] = w[j] - rate * dw, b[j] - rate * db
        assert math.isclose(total / len(x), case["history"]["loss"][epoch], rel_tol=1e-12), case["name"]
    for j, p in enumerate(case["weights"]):
        assert np.abs(w[j] - p["weights"]).max() < 1e-13 and np.abs(b[j] - p["biases"]).max() < 1e-13, case["name"]


def small(hidden="tanh", output="linear", **options):
    return [layer(4, hidden, **options), layer(2, output)]


def cases():
    online = {"epochs": 5, "batchSize": 1, "learningRate": 0.1}
    classifier = [layer(5, "relu"), layer(4, "relu"), layer(3, "softmax")]
    yield "one row at a time, sigmoid", 2, 10, [layer(3, "sigmoid"), layer(1, "sigmoid")], "squaredError", online
    yield "one row at a time, a classifier", 3, 12, classifier, "crossEntropy", online
    yield "one row at a time, two questions", 3, 10, [layer(4, "tanh"), layer(2, "sigmoid")], "binaryCrossEntropy", online
    yield "one row at a time, linear regression", 3, 10, [layer(2, "linear")], "mse", online

    batches = {"epochs": 8, "batchSize": 4}
    yield "batches and penalties", 3, 10, small(l1=0.01, l2=0.05), "mse", {**batches, "learningRate": 0.1}
    yield "a short last batch", 3, 10, small("relu"), "mse", {**batches, "learningRate": 0.02}, "adam"
    yield "all rows at once", 3, 12, small(), "squaredError", {"epochs": 10, "batchSize": "full", "learningRate": 0.05}, "momentum"
    yield ("a batch larger than all rows", 3, 10, classifier, "crossEntropy",
           {"epochs": 4, "batchSize": 64, "learningRate": 0.3})

    yield ("cosine with warmup", 3, 14, classifier, "crossEntropy",
           {"epochs": 12, "batchSize": 5, "learningRate": 0.02, "schedule": {"type": "cosine", "warmup": 3, "minimum": 0.001}},
           "adamw", {"weight_decay": 0.05})
    yield ("rate by steps", 3, 10, small("sigmoid"), "mse",
           {"epochs": 9, "batchSize": 3, "learningRate": 0.2, "schedule": {"type": "step", "every": 3, "factor": 0.5}})
    yield ("rate by powers", 3, 12, small("gelu"), "huber",
           {"epochs": 8, "batchSize": 4, "learningRate": 0.05, "schedule": {"type": "exponential", "factor": 0.8}},
           "nesterov", {"momentum": 0.8}, {"delta": 0.5})
    yield ("one cycle", 3, 12, small("silu"), "logCosh",
           {"epochs": 10, "batchSize": 4, "schedule": {"type": "oneCycle", "maximum": 0.3}})
    yield ("a plateau of the training loss", 3, 10, [layer(2, "linear")], "mse",
           {"epochs": 16, "batchSize": 2, "learningRate": 0.3, "schedule": {"type": "plateau", "factor": 0.5, "patience": 1}},
           "momentum")
    yield ("a plateau of the validation loss", 3, 12, small(), "mse",
           {"epochs": 16, "batchSize": 4, "learningRate": 0.3, "validation": "held out",
            "schedule": {"type": "plateau", "factor": 0.3, "patience": 2, "minimum": 0.05}})

    yield ("penalties", 3, 12, [layer(4, "tanh", l2=0.1), layer(4, "softsign", l1=0.02), layer(1, "linear", l1=0.01, l2=0.03)],
           "mse", {"epochs": 6, "batchSize": 5}, "rmsprop")
    yield ("clipped gradients", 3, 12, small("relu", l2=0.05), "squaredError",
           {"epochs": 6, "batchSize": 4, "learningRate": 0.1, "clipNorm": 0.4})
    yield ("clipped gradients of Adam", 3, 12, classifier, "crossEntropy",
           {"epochs": 5, "batchSize": 5, "learningRate": 0.02, "clipNorm": 0.6}, "adam")

    weights = [0.5, 2, 0, 1.3, 1, 0.25, 3, 0.7, 0, 1.9]
    yield ("weighted rows", 3, 10, small(), "mse",
           {**batches, "learningRate": 0.1, "sampleWeights": weights})
    yield ("weighted rows of Adam", 3, 10, classifier, "crossEntropy",
           {**batches, "learningRate": 0.02, "sampleWeights": weights}, "adam")
    yield ("weighted classes", 3, 11, classifier, "crossEntropy",
           {"epochs": 6, "batchSize": 4, "learningRate": 0.2, "classWeights": [0.5, 1, 2.5]})
    yield ("weighted classes of one output", 3, 11, [layer(4, "tanh"), layer(1, "sigmoid")], "binaryCrossEntropy",
           {"epochs": 6, "batchSize": 4, "learningRate": 0.3, "classWeights": [0.75, 2]})
    yield ("weighted classes and rows", 3, 10, [layer(4, "tanh"), layer(1, "sigmoid")], "binaryCrossEntropy",
           {"epochs": 6, "batchSize": 4, "learningRate": 0.3, "classWeights": [0.75, 2], "sampleWeights": weights})

    batch, row = {"normalization": "batch"}, {"normalization": "layer"}
    yield ("batch normalization", 3, 14, [layer(5, "relu", **batch), layer(4, "tanh", **batch), layer(3, "softmax")],
           "crossEntropy", {"epochs": 6, "batchSize": 5, "learningRate": 0.05}, "momentum")
    yield ("layer normalization", 3, 13, [layer(5, "relu", **row), layer(4, "tanh", **row), layer(2, "linear")],
           "mse", {"epochs": 6, "batchSize": 4, "learningRate": 0.01}, "adam")
    yield ("batch normalization and penalties", 3, 12, [layer(4, "silu", l2=0.05, **batch), layer(2, "linear", l1=0.01)],
           "huber", {"epochs": 6, "batchSize": 6, "learningRate": 0.1})

    yield ("held-out rows", 3, 14, [layer(5, "relu", **batch), layer(3, "softmax", l2=0.02)], "crossEntropy",
           {"epochs": 8, "batchSize": 5, "learningRate": 0.05, "validation": "held out"}, "nesterov")
    yield ("a quarter held out", 3, 20, small("softplus"), "mse",
           {"epochs": 8, "batchSize": 4, "learningRate": 0.05, "validation": 0.25}, "adam")
    yield ("stopped early", 3, 16, [layer(8, "tanh", **batch), layer(2, "linear")], "mse",
           {"epochs": 20, "batchSize": 4, "learningRate": 0.01, "validation": 0.25, "earlyStopping": {"patience": 3}}, "momentum")
    yield ("stopped early, the last weights kept", 3, 16, small(), "mse",
           {"epochs": 20, "batchSize": 4, "learningRate": 0.1, "validation": 0.25,
            "earlyStopping": {"patience": 2, "minDelta": 0.01, "restoreBest": False}}, "momentum")
    yield ("good enough", 3, 12, small(), "mse", {"epochs": 20, "batchSize": 4, "learningRate": 0.03, "targetLoss": 0.5}, "adam")

    full = {"batchSize": "full"}
    yield "L-BFGS", 3, 16, small("sigmoid"), "mse", {"epochs": 2}, "lbfgs", {"max_iter": 8}
    yield ("L-BFGS with penalties", 3, 14, [layer(4, "tanh", l2=0.02), layer(3, "softmax", l2=0.01)], "crossEntropy",
           {**full, "epochs": 5, "learningRate": 0.7}, "lbfgs", {"max_iter": 3, "max_eval": 8, "history_size": 4})

    for optimizer, settings in [
        ("momentum", {"momentum": 0.5, "dampening": 0.2, "weight_decay": 0.03}), ("rmsprop", {"centered": True, "momentum": 0.9}),
        ("adagrad", {}), ("adadelta", {}), ("adam", {"amsgrad": True, "betas": (0.8, 0.95)}), ("adamw", {}), ("nadam", {}),
        ("radam", {}), ("lion", {}),
    ]:
        options = {"epochs": 4, "batchSize": 5}
        yield f"{optimizer} at its own rate", 2, 10, [layer(3, "tanh"), layer(1, "linear")], "mse", options, optimizer, settings
    yield "rprop at its own rate", 2, 10, [layer(3, "tanh"), layer(1, "linear")], "mse", {**full, "epochs": 6}, "rprop"

    for loss, options in [("mae", {}), ("quantile", {"level": 0.8}), ("hinge", {}), ("poisson", {}),
                          ("crossEntropy", {"labelSmoothing": 0.1}), ("binaryCrossEntropy", {"positiveWeight": 2.5})]:
        output = {"crossEntropy": "softmax", "binaryCrossEntropy": "sigmoid", "poisson": "softplus"}.get(loss, "linear")
        layers = [layer(3, "elu"), layer(2, output)]
        yield f"the loss {loss}", 2, 10, layers, loss, {"epochs": 4, "batchSize": 4, "learningRate": 0.1}, "sgd", {}, options


def make():
    golden = [run(seed, *case) for seed, case in enumerate(cases(), 100)]
    check_events(golden)
    return {
        "about": "Training runs of whole networks (PyTorch, float64): set 'initial', fit 'inputs' and 'targets' with 'options', "
        "and compare the history and the weights.",
        "notes": [
            "'network', 'options' and the weights are in mikir's words: new NeuralNetwork(network), setWeights(initial), "
            "fit(inputs, targets, options), getWeights(). Options that are not there have their defaults.",
            "history.loss: the batches' data losses before each step, without penalties, weighted by their rows or by the sum of "
            "their weights; history.validationLoss: after each epoch, with running statistics; history.learningRates: of each epoch.",
            "history.bestEpoch counts from 1 and looks at the validation loss where there is one, else at the training loss. "
            "'evaluatedLoss' is the unweighted loss of all 'inputs' with the final weights, with running statistics.",
            "validation: 0.25 without shuffling holds out the last rows.",
            "A change of 1e-10 in the initial weights changes no final weight by more than 1e-8: rounding stays rounding.",
        ],
        "cases": golden,
    }


def check_events(golden):
    """What a case is for must happen in it."""
    history = {case["name"]: case["history"] for case in golden}
    for name in ("a plateau of the training loss", "a plateau of the validation loss"):
        assert len(set(history[name]["learningRates"])) > 2, name
    for name in ("stopped early", "stopped early, the last weights kept"):
        assert history[name]["stoppedBy"] == "earlyStopping" and history[name]["bestEpoch"] > 1, name
    assert history["good enough"]["stoppedBy"] == "targetLoss"
