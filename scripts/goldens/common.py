"""How numbers are written: compact JSON with short lines, floats by repr so that they round-trip exactly."""

import json
from importlib.metadata import version

try:
    import torch
except ModuleNotFoundError:
    torch = None  # in the environment of Keras
else:
    torch.set_num_threads(1)  # one order of summation
    torch.set_default_dtype(torch.float64)

WIDTH = 120
MADE_WITH = ["torch", "numpy", "scikit-learn", "mpmath"]


def write(path, name, golden, packages=MADE_WITH):
    """`golden` starts with its "about" sentence; what made the file goes in front of it."""
    made_with = {package: version(package).split("+")[0] for package in packages}
    golden = {"made_with": {"script": f"scripts/goldens/{name}.py", **made_with}, **golden}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(layout(golden, 0) + "\n", encoding="utf-8")


def layout(value, indent):
    """One line where it fits; else one line for each member, and plain numbers several to a line."""
    line = json.dumps(value, allow_nan=False, ensure_ascii=False)
    if len(line) + indent <= WIDTH or not isinstance(value, (dict, list)):
        return line
    if isinstance(value, dict):
        members = [f"{json.dumps(key)}: {layout(item, indent + 1)}" for key, item in value.items()]
    elif any(isinstance(item, (dict, list, str)) for item in value):
        members = [layout(item, indent + 1) for item in value]
    else:
        members = fill([json.dumps(item) for item in value], WIDTH - indent)
    space = "\n" + " " * (indent + 1)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return opening + space + ("," + space).join(members) + "\n" + " " * indent + closing


def fill(words, width):
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) + 3 > width:
            lines.append(word)
        else:
            lines[-1] += ", " + word
    return lines


def tensor(values, requires_grad=False):
    return torch.tensor(values, dtype=torch.float64, requires_grad=requires_grad)
