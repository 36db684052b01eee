"""Trains a network of mikir further on several processes or machines, with PyTorch's DistributedDataParallel.

    torchrun --nproc-per-node 2 train_ddp.py network.safetensors rows.safetensors trained.safetensors

The rows are tensors `inputs` [rows, inputs] and `targets` [rows, outputs]. Each process trains on its share of them; the
gradients are averaged after every batch, so all have the same weights. The first process writes the result.
"""

import sys

import torch
import torch.distributed as dist
from mikir_torch import load, save
from safetensors.torch import load_file
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

EPOCHS = 20
BATCH = 32


def main():
    network, rows, trained = sys.argv[1:]
    # Between machines with graphics cards: "nccl".
    dist.init_process_group("gloo")
    sequence, options = load(network)
    # Softmax belongs to the loss here, as it does in mikir.
    if options["layers"][-1]["activation"] == "softmax":
        logits, loss_of = sequence[:-1], nn.CrossEntropyLoss()
    else:
        logits, loss_of = sequence, nn.MSELoss()
    model = DistributedDataParallel(logits)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    data = load_file(rows)
    dtype = next(sequence.parameters()).dtype
    shards = TensorDataset(data["inputs"].to(dtype), data["targets"].to(dtype))
    sampler = DistributedSampler(shards)
    loader = DataLoader(shards, BATCH, sampler=sampler)
    for epoch in range(EPOCHS):
        sampler.set_epoch(epoch)
        model.train()
        total = torch.zeros(1)
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = loss_of(model(inputs), targets)
            loss.backward()
            optimizer.step()
            total += loss.detach().float() / len(loader)
        dist.all_reduce(total)
        if dist.get_rank() == 0:
            print(f"epoch {epoch + 1}, loss {total.item() / dist.get_world_size():.4f}")
    if dist.get_rank() == 0:
        save(trained, sequence, options)
    dist.destroy_process_group()


main()
