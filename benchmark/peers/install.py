"""Installs a peer where it is not there yet, and prints the interpreter that has it.

    python3 benchmark/peers/install.py pytorch|jax|polars|ray|sets

PyTorch is that of the golden values, which saves a second copy of 5 GB; JAX gets an environment of its own, so that
neither library can change what the other loads, and so does scikit-learn, which comes with sets of data.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "scripts" / "goldens"))
sys.dont_write_bytecode = True
sys.stdout, stdout = sys.stderr, sys.stdout  # only the answer belongs there

import make  # noqa: E402

OWN = {
    "jax": (["jax[cpu]==0.10.2", "numpy==2.4.6"], "ladder"),
    "ray": (["ray[data]==2.60.0", "onnxruntime==1.32.0", "numpy==2.4.6", "pandas"], "ray"),
    "polars": (["polars==2.1.0"], "polars"),
    "sets": (["scikit-learn==1.9.1", "numpy==2.4.6"], "sets"),
}
if sys.argv[1] in OWN:
    make.REQUIREMENTS, folder = OWN[sys.argv[1]]
    make.ENVIRONMENT = ROOT / ".peers" / folder
    make.PYTHON = make.ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

make.enter_environment()  # starts this script again, inside
print(sys.executable, file=stdout)
