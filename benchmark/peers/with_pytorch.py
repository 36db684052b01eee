"""Training in PyTorch's eager mode, written as its tutorials do, and the bare product of two matrices."""

import torch
from common import microseconds, read, report, task
from torch import nn

torch.set_num_threads(task["threads"])


def train():
    inputs, targets, parameters = read()
    modules = []
    for weights, biases in parameters:
        linear = nn.Linear(*weights.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weights.T))
            linear.bias.copy_(torch.from_numpy(biases))
        modules += [linear, nn.ReLU()]
    model = nn.Sequential(*modules[:-1])
    criterion = nn.CrossEntropyLoss()
    Optimizer = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[task["optimizer"]]
    optimizer = Optimizer(model.parameters(), lr=task["learningRate"])
    batches = [(torch.from_numpy(x), torch.from_numpy(t.argmax(1))) for x, t in zip(inputs, targets)]

    def step(x, classes):
        optimizer.zero_grad()
        loss = criterion(model(x), classes)
        loss.backward()
        optimizer.step()
        return loss

    def run(epochs):
        for _ in range(epochs):
            for x, classes in batches:
                step(x, classes)

    loss = sum(step(x, classes).item() for x, classes in batches) / len(batches)
    report(us=microseconds(run) / len(batches), loss=loss, version=f"PyTorch {torch.__version__}")


def product():
    size = task["size"]
    a, b = torch.rand(size, size), torch.rand(size, size)
    c = torch.empty(size, size)

    def run(times):
        for _ in range(times):
            torch.mm(a, b, out=c)

    run(3)
    report(us=microseconds(run))


train() if "layers" in task else product()
