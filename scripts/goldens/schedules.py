"""schedules.json: the learning rate used in each of twenty epochs, from torch.optim.lr_scheduler stepped once an epoch."""

import math

import torch
from torch.optim import lr_scheduler

EPOCHS = 20

# It improves, stalls, improves by less than one part in 10,000 (which does not count), and improves again.
PLATEAU_LOSSES = [
    1.0, 0.8, 0.7, 0.71, 0.70001, 0.69998, 0.705, 0.72, 0.6, 0.61, 0.62, 0.63, 0.6, 0.59999, 0.55, 0.56, 0.57, 0.58, 0.59, 0.54,
]


def rates(learning_rate, scheduler, losses=None):
    """The rate is read in the epoch, and the scheduler stepped after it, with that epoch's loss."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=learning_rate)
    schedule = scheduler(optimizer)
    used = []
    for epoch in range(EPOCHS):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step(*([losses[epoch]] if losses else []))
    return used


def cosine(learning_rate, minimum=0.0, warmup=0):
    """Linear for `warmup` epochs, then CosineAnnealingLR over the others."""
    rising = [learning_rate * (epoch + 1) / warmup for epoch in range(warmup)]
    length = EPOCHS - warmup
    falling = rates(learning_rate, lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=length, eta_min=minimum))[:length]
    for k, rate in enumerate(falling):  # the closed form, which PyTorch evaluates by recursion
        exact = minimum + (learning_rate - minimum) / 2 * (1 + math.cos(math.pi * k / length))
        assert math.isclose(rate, exact, rel_tol=1e-13)
    return rising + falling


def one_cycle(maximum, warmup=0.3):
    used = rates(maximum, lambda o: lr_scheduler.OneCycleLR(
        o, max_lr=maximum, total_steps=EPOCHS, pct_start=warmup, cycle_momentum=False))
    for epoch, rate in enumerate(used):
        assert math.isclose(rate, one_cycle_formula(epoch, maximum, warmup), rel_tol=1e-12)
    return used


def one_cycle_formula(epoch, maximum, warmup):
    first, last, peak = maximum / 25, maximum / 25 / 1e4, warmup * EPOCHS - 1
    if epoch <= peak:
        return anneal(first, maximum, epoch / peak)
    return anneal(maximum, last, (epoch - peak) / (EPOCHS - 1 - peak))


def anneal(a, b, t):
    return b + (a - b) / 2 * (1 + math.cos(math.pi * t))


def plateau(learning_rate, factor, patience, minimum=0.0):
    return rates(learning_rate, lambda o: lr_scheduler.ReduceLROnPlateau(
        o, factor=factor, patience=patience, min_lr=minimum, threshold=1e-4, threshold_mode="rel"), PLATEAU_LOSSES)


def step(learning_rate, every, factor):
    return rates(learning_rate, lambda o: lr_scheduler.StepLR(o, step_size=every, gamma=factor))


def exponential(learning_rate, factor):
    return rates(learning_rate, lambda o: lr_scheduler.ExponentialLR(o, gamma=factor))


def case(schedule, learning_rate, used):
    return {"schedule": schedule, "learningRate": learning_rate, "rates": used}


def make():
    return {
        "about": "The learning rate used in each of epochs 1 to 20 (torch.optim.lr_scheduler, stepped once after each epoch).",
        "epochs": EPOCHS,
        "formulas": {
            "e": "counts epochs from 0; E is the number of epochs",
            "step": "learningRate * factor^floor(e / every)",
            "exponential": "learningRate * factor^e",
            "cosine": "e < warmup: learningRate (e + 1) / warmup; then, with T = E - warmup, "
            "minimum + (learningRate - minimum) / 2 (1 + cos(pi (e - warmup) / T)): the minimum itself would be epoch E",
            "oneCycle": "first = maximum / 25, last = first / 10000, p = warmup E - 1; e <= p: anneal(first, maximum, e / p), else "
            "anneal(maximum, last, (e - p) / (E - 1 - p)), anneal(a, b, t) = b + (a - b) / 2 (1 + cos(pi t)); learningRate unused",
            "plateau": "after each epoch: loss < best (1 - 0.0001) is the new best and resets the count of bad epochs, else the count "
            "rises; when it exceeds patience, rate = max(rate * factor, minimum) and the count restarts (a change of less than "
            "1e-8 is not made); the new rate holds from the next epoch",
        },
        "plateauLosses": PLATEAU_LOSSES,
        "cases": [
            case({"type": "constant"}, 0.01, [0.01] * EPOCHS),
            case({"type": "step", "every": 5, "factor": 0.1}, 0.1, step(0.1, 5, 0.1)),
            case({"type": "step", "every": 3, "factor": 0.7}, 0.02, step(0.02, 3, 0.7)),
            case({"type": "exponential", "factor": 0.9}, 0.1, exponential(0.1, 0.9)),
            case({"type": "cosine"}, 0.01, cosine(0.01)),
            case({"type": "cosine", "minimum": 0.001}, 0.01, cosine(0.01, 0.001)),
            case({"type": "cosine", "warmup": 5}, 0.01, cosine(0.01, warmup=5)),
            case({"type": "cosine", "minimum": 0.0005, "warmup": 3}, 0.02, cosine(0.02, 0.0005, 3)),
            case({"type": "oneCycle", "maximum": 0.1}, 0.001, one_cycle(0.1)),
            case({"type": "oneCycle", "maximum": 0.05, "warmup": 0.45}, 0.001, one_cycle(0.05, 0.45)),
            case({"type": "plateau", "factor": 0.5, "patience": 2}, 0.1, plateau(0.1, 0.5, 2)),
            case({"type": "plateau", "factor": 0.1, "patience": 0}, 0.1, plateau(0.1, 0.1, 0)),
            case({"type": "plateau", "factor": 0.3, "patience": 1, "minimum": 0.02}, 0.1, plateau(0.1, 0.3, 1, 0.02)),
        ],
    }
