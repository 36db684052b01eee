"""onnx_files.json: small ONNX files that PyTorch (both of its exporters) and scikit-learn write, and what onnxruntime
predicts with them."""

import base64
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from skl2onnx import to_onnx
from sklearn.neural_network import MLPClassifier, MLPRegressor
from torch import nn

from torch_files import module

ROWS = 4


def case(name, model, inputs, dtype, precision):
    rows = np.linspace(-1.5, 1.5, ROWS * inputs).reshape(ROWS, inputs).astype(dtype)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    outputs = session.run(None, {session.get_inputs()[0].name: rows})[-1]
    return {
        "name": name,
        "precision": precision,
        "file": base64.b64encode(model).decode(),
        "inputs": rows.astype(np.float64).tolist(),
        "outputs": np.asarray(outputs, dtype=np.float64).reshape(ROWS, -1).tolist(),
    }


def of_torch(name, layers, inputs, dtype=torch.float32):
    sequence = module(layers).to(dtype).eval()
    example = torch.zeros(2, inputs, dtype=dtype)
    numpy_type, precision = (np.float32, "f32") if dtype == torch.float32 else (np.float64, "f64")
    for dynamo in [False, True]:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path = str(Path(folder) / "model.onnx")
            shapes = {"dynamic_shapes": ({0: torch.export.Dim("n")},)} if dynamo else {"dynamic_axes": {"x": {0: "n"}}}
            torch.onnx.export(sequence, (example,), path, dynamo=dynamo, input_names=["x"], external_data=False, verbose=False, **shapes)
            model = onnx.load(path)
        # What it says of the source takes most of the file.
        for node in model.graph.node:
            del node.metadata_props[:]
            node.doc_string = ""
        del model.graph.value_info[:]
        exporter = "dynamo" if dynamo else "TorchScript"
        yield case(f"PyTorch, {exporter}: {name}", model.SerializeToString(), inputs, numpy_type, precision)


def of_sklearn(name, estimator, outputs):
    random = np.random.default_rng(1)
    rows = random.normal(size=(60, 3))
    sums = rows.sum(axis=1)
    targets = {"numbers": sums, "two": (sums > 0).astype(int), "three": np.digitize(sums, [-1, 1])}[outputs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(rows, targets)
    options = {} if outputs == "numbers" else {"options": {id(estimator): {"zipmap": False}}}
    model = to_onnx(estimator, rows[:1].astype(np.float32), **options)
    made = case(f"scikit-learn: {name}", model.SerializeToString(), 3, np.float32, "f32")
    if outputs == "two":
        made["outputs"] = [row[1:] for row in made["outputs"]]
    return made


def make():
    torch.set_default_dtype(torch.float32)
    stages = [
        ("relu", [nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)], 3),
        ("gelu, silu", [nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 4), nn.SiLU(), nn.Linear(4, 2)], 3),
        ("mish, softplus", [nn.Linear(3, 4), nn.Mish(), nn.Linear(4, 3), nn.Softplus(), nn.Linear(3, 2)], 3),
        ("elu, leaky relu", [nn.Linear(3, 4), nn.ELU(0.7), nn.Linear(4, 4), nn.LeakyReLU(0.2), nn.Linear(4, 1)], 3),
        ("selu, softsign", [nn.Linear(3, 4), nn.SELU(), nn.Linear(4, 4), nn.Softsign(), nn.Linear(4, 1)], 3),
        ("hard ones", [nn.Linear(3, 5), nn.Hardsigmoid(), nn.Linear(5, 5), nn.Hardtanh(), nn.Linear(5, 4), nn.ReLU6()], 3),
        ("batch normalization", [nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Dropout(0.2), nn.Linear(4, 2)], 3),
        ("normalization elsewhere", [nn.BatchNorm1d(3), nn.Linear(3, 4), nn.ReLU(), nn.BatchNorm1d(4), nn.Linear(4, 2)], 3),
        ("layer normalization", [nn.Linear(3, 4), nn.LayerNorm(4), nn.Sigmoid(), nn.Linear(4, 2)], 3),
        ("classes", [nn.Flatten(), nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3), nn.Softmax(1)], 4),
    ]
    cases = []
    for name, layers, inputs in stages:
        cases.extend(of_torch(name, layers, inputs))
    cases.extend(of_torch("double precision", [nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)], 3, torch.float64))
    some = {"hidden_layer_sizes": (5, 4), "max_iter": 30, "random_state": 1}
    cases.append(of_sklearn("MLPRegressor", MLPRegressor(**some), "numbers"))
    cases.append(of_sklearn("MLPRegressor, logistic", MLPRegressor(activation="logistic", **some), "numbers"))
    cases.append(of_sklearn("MLPClassifier of two", MLPClassifier(activation="tanh", **some), "two"))
    cases.append(of_sklearn("MLPClassifier of three", MLPClassifier(**some), "three"))
    torch.set_default_dtype(torch.float64)
    return {"about": "ONNX files of other libraries, as base64, and what onnxruntime predicts with them.", "cases": cases}
