"""Training in JAX with the whole loop over epochs and batches compiled."""

import jax
from common import microseconds, read, report, task
from jax import lax
from jax import numpy as jnp


def loss(parameters, x, t):
    *hidden, (weights, biases) = parameters
    for w, b in hidden:
        x = jax.nn.relu(x @ w + b)
    return -jnp.mean(jnp.sum(t * jax.nn.log_softmax(x @ weights + biases), axis=1))


def step(parameters, batch):
    value, gradients = jax.value_and_grad(loss)(parameters, *batch)
    return jax.tree.map(lambda p, g: p - task["learningRate"] * g, parameters, gradients), value


@jax.jit
def fit(parameters, batches, epochs):
    """The parameters, and the mean loss of the last epoch."""

    def epoch(_, carry):
        parameters, losses = lax.scan(step, carry[0], batches)
        return parameters, jnp.mean(losses)

    return lax.fori_loop(0, epochs, epoch, (parameters, jnp.float32(0)))


inputs, targets, parameters = jax.tree.map(jnp.asarray, read())
# JAX returns before it has computed: without the wait, the clock would start while this still runs.
_, first = jax.block_until_ready(fit(parameters, (inputs, targets), 1))


def run(epochs):
    global parameters
    parameters, _ = jax.block_until_ready(fit(parameters, (inputs, targets), epochs))


report(
    us=microseconds(run) / len(inputs),
    loss=float(first),
    version=f"JAX {jax.__version__}",
)
