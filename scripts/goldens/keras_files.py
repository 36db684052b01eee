"""keras_files.json: small ONNX files that Keras writes (by tf2onnx), and what Keras predicts.

    python3 scripts/goldens/keras_files.py

It has an environment of its own in .peers/keras (ignored by git), with TensorFlow: about 1 GB.
"""

import base64
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

REQUIREMENTS = ["tensorflow-cpu==2.21.0", "keras==3.15.1", "tf2onnx==1.17.0", "onnx==1.23.2", "numpy==2.4.6"]
ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".peers" / "keras"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
ROWS = 4


def enter_environment():
    """Install what is pinned, once, and start again inside the virtual environment."""
    if Path(sys.prefix).resolve() == ENVIRONMENT.resolve():
        return
    stamp = ENVIRONMENT / "installed.txt"
    if not stamp.exists():
        venv.create(ENVIRONMENT, with_pip=True)
        subprocess.check_call([PYTHON, "-m", "pip", "install", "--quiet", *REQUIREMENTS])
        stamp.write_text("\n".join(REQUIREMENTS))
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    sys.exit(subprocess.call([PYTHON, *sys.argv], env=environment))


def make():
    import keras
    import numpy as np
    from keras import layers

    def case(name, stages, inputs=3):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((inputs,)), *stages])
        for layer in model.layers:
            # Statistics and scales that are not neutral.
            if isinstance(layer, layers.BatchNormalization):
                units = layer.gamma.shape[0]
                ramp = np.linspace(-0.4, 0.4, units)
                layer.set_weights([1 + ramp, ramp, -ramp, 1 + ramp])
        rows = np.linspace(-1.5, 1.5, ROWS * inputs).reshape(ROWS, inputs).astype(np.float32)
        outputs = model.predict(rows, verbose=0)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            model.export(str(path), format="onnx", verbose=False)
            file = path.read_bytes()
        return {
            "name": f"Keras: {name}",
            "precision": "f32",
            "file": base64.b64encode(file).decode(),
            "inputs": rows.astype(np.float64).tolist(),
            "outputs": outputs.astype(np.float64).reshape(ROWS, -1).tolist(),
        }

    dense = layers.Dense
    return {
        "about": "ONNX files of Keras, as base64, and what Keras predicts with them.",
        "cases": [
            case("relu", [dense(4, "relu"), dense(2)]),
            case("tanh, sigmoid", [dense(4, "tanh"), dense(3, "sigmoid"), dense(1)]),
            case("elu, selu", [dense(4, "elu"), dense(3, "selu"), dense(1)]),
            case("softplus, softsign", [dense(4, "softplus"), dense(3, "softsign"), dense(1)]),
            case("silu", [dense(4, "silu"), dense(1)]),
            case("mish", [dense(4, "mish"), dense(1)]),
            case("relu6", [dense(4, "relu6"), dense(1)]),
            case("hard sigmoid", [dense(4, "hard_sigmoid"), dense(1)]),
            case("leaky relu", [dense(4), layers.LeakyReLU(negative_slope=0.2), dense(1)]),
            case("batch normalization", [dense(4), layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.2), dense(2)]),
            case("batch normalization elsewhere", [layers.BatchNormalization(), dense(4, "tanh"), layers.BatchNormalization(), dense(2)]),
            case("no biases", [dense(4, "relu", use_bias=False), dense(2, use_bias=False)]),
            case("classes", [layers.Flatten(), dense(8, "tanh"), dense(3, "softmax")], 4),
            case("one label", [dense(4, "relu"), dense(1, "sigmoid")]),
        ],
    }


if __name__ == "__main__":
    enter_environment()
    sys.dont_write_bytecode = True
    import common

    path = ROOT / "__test__" / "goldens" / "keras_files.json"
    common.write(path, "keras_files", make(), ["tensorflow-cpu", "keras", "tf2onnx", "onnx"])
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size:,} bytes")
