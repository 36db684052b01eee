"""Scores the rows of a CSV file with a network of mikir, on all machines of a Ray cluster.

    python3 score_ray.py network.onnx rows.csv scores.csv

The file has a header and the network's inputs in its columns. Each worker opens the ONNX file once. What is read and
written may be many files, in a bucket too.
"""

import sys

import numpy as np
import onnxruntime
import ray


class Network:
    """The network in a worker."""

    def __init__(self, path):
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (self.input,) = self.session.get_inputs()
        self.dtype = np.float64 if self.input.type == "tensor(double)" else np.float32

    def __call__(self, batch):
        rows = np.stack(list(batch.values()), axis=1).astype(self.dtype)
        (outputs,) = self.session.run(None, {self.input.name: rows})
        return {f"output{k}": outputs[:, k] for k in range(outputs.shape[1])}


def main():
    network, rows, scores = sys.argv[1:]
    ray.init(log_to_driver=False)
    data = ray.data.read_csv(rows)
    # A fraction of a core each, so that reading has some too.
    workers = {"concurrency": 2, "num_cpus": 0.5}
    scored = data.map_batches(Network, fn_constructor_args=(network,), batch_size=4096, **workers)
    # One file here; `write_csv` writes one a block.
    scored.to_pandas().to_csv(scores, index=False)


main()
