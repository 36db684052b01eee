"""What every peer needs: the task, the data and the starting weights that all rivals share, and the clock."""

import json
import sys
import time

import numpy

task = json.loads(sys.argv[1])


def read():
    """Batches of inputs, batches of targets, and a layer each of weights (input-major) and biases."""
    numbers = numpy.fromfile(task["file"], numpy.float32)
    layers, batches, batch_size = task["layers"], task["batches"], task["batchSize"]
    at = 0

    def take(*shape):
        nonlocal at
        count = int(numpy.prod(shape))
        at += count
        return numbers[at - count : at].reshape(shape).copy()

    inputs = take(batches, batch_size, layers[0])
    targets = take(batches, batch_size, layers[-1])
    parameters = [(take(i, o), take(o)) for i, o in zip(layers, layers[1:])]
    return inputs, targets, parameters


def microseconds(run):
    """A turn of `run(turns)`, once it is warm, over a stretch of at least `task.stretch` seconds."""
    turns = 1
    while True:
        start = time.perf_counter()
        run(turns)
        elapsed = time.perf_counter() - start
        if elapsed >= task["stretch"]:
            check(run, turns)
            return 1e6 * elapsed / turns
        # At most tenfold, as the first turns are slow.
        turns = max(turns + 1, int(turns * min(10, 1.1 * task["stretch"] / elapsed)))


def check(run, turns):
    """Half of the work must take about half of the time: else something is computed before or after the clock runs."""

    def seconds(turns):
        start = time.perf_counter()
        run(turns)
        return time.perf_counter() - start

    for _ in range(5):
        half = turns - turns // 2
        share = seconds(half) / seconds(turns) * (turns / 2) / half
        if turns == 1 or 0.35 <= share <= 0.65:
            return
    raise RuntimeError(f"half of the work takes {share:.2f} of the time: is all of it waited for?")


def report(**figures):
    print(json.dumps(figures))
