"""Makes every golden file of __test__/goldens. The tests read the files and need no Python.

    python3 scripts/goldens/make.py                 all of them
    python3 scripts/goldens/make.py losses network  only these

One module beside this one per file, with the same stem:

    activations.py   f and f' of every activation on a grid of ordinary and extreme points
    losses.py        value and gradient of every loss
    optimizers.py    ten-step trajectories of every optimizer
    schedules.py     learning rates over twenty epochs
    network.py       whole networks: forward, backward, and twenty epochs of training
    evaluation.py    the metrics of evaluate()
    fit.py           whole runs of training: losses and final weights
    learning.py      what scikit-learn reaches on the data of __test__/data, which it writes too
    torch_files.py   files of nn.Sequential, with predictions
    onnx_files.py    ONNX files of PyTorch and scikit-learn, with predictions
    common.py        how numbers are written

keras_files.py is run by itself: TensorFlow has an environment of its own.

torch_check.py, onnx_check.py and models_check.py are the other direction: PyTorch and ONNX Runtime read mikir's files.

The first run makes a virtual environment in .peers/goldens (ignored by git) and installs PyTorch there. The plain
wheel of Linux needs its CUDA packages merely to be imported, so allow about 6 GB; everything is computed on one CPU thread.
"""

import importlib
import os
import subprocess
import sys
import venv
from pathlib import Path

REQUIREMENTS = [
    "torch==2.15.0",
    "numpy==2.4.6",
    "scikit-learn==1.9.1",
    "mpmath==1.3.0",
    "safetensors==0.8.0",
    "onnx==1.23.2",
    "onnxruntime==1.32.0",
    "onnxscript==0.7.2",
    "skl2onnx==1.20.0",
]
GOLDENS = ["activations", "losses", "optimizers", "schedules", "network", "evaluation", "fit", "learning", "torch_files", "onnx_files"]

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".peers" / "goldens"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def enter_environment():
    """Install what is pinned, once, and start again inside the virtual environment."""
    stamp = ENVIRONMENT / "installed.txt"  # written last, so an interrupted installation is done again
    wanted = "\n".join(REQUIREMENTS)
    if not stamp.exists() or stamp.read_text() != wanted:
        venv.create(ENVIRONMENT, with_pip=True)
        subprocess.check_call([PYTHON, "-m", "pip", "install", "--quiet", *REQUIREMENTS])
        stamp.write_text(wanted)
    if Path(sys.prefix).resolve() != ENVIRONMENT.resolve():
        sys.exit(subprocess.call([PYTHON, *sys.argv]))


def main():
    names = sys.argv[1:] or GOLDENS
    unknown = [name for name in names if name not in GOLDENS]
    if unknown:
        sys.exit(f"Expected some of {', '.join(GOLDENS)} but received {', '.join(unknown)}")
    enter_environment()

    sys.dont_write_bytecode = True
    import common

    for name in names:
        path = ROOT / "__test__" / "goldens" / f"{name}.json"
        common.write(path, name, importlib.import_module(name).make())
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
