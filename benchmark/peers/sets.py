"""Writes scikit-learn's sets that need no download as CSV files, the target last: sets.py FOLDER."""

import csv
import sys
from pathlib import Path

from sklearn import datasets

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for name in ["iris", "wine", "breast_cancer", "digits", "diabetes"]:
    data = getattr(datasets, f"load_{name}")()
    # A class is a word, so that it is not taken for a number.
    target = data.target if name == "diabetes" else [f"class {number}" for number in data.target]
    with open(folder / f"{name}.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"x{i}" for i in range(data.data.shape[1])), "target"])
        writer.writerows([*row, y] for row, y in zip(data.data.tolist(), target))
(folder / "complete").write_text("")  # written last, so an interrupted run is done again
