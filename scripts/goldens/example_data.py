"""The tables of examples/data, from scikit-learn: raw numbers, classes by name.

    python3 scripts/goldens/example_data.py      in an environment with scikit-learn, such as .peers/goldens
"""

import csv
from pathlib import Path

from sklearn import datasets

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "data"


def write(name, header, rows):
    with open(FOLDER / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def shown(x):
    return int(x) if float(x).is_integer() else float(x)


def classes(name, loaded, target, labels):
    header = [feature.replace("/", " or ") for feature in loaded.feature_names]
    rows = [[*map(shown, row), labels[k]] for row, k in zip(loaded.data, loaded.target)]
    write(name, [*header, target], rows)


iris = datasets.load_iris()
classes("iris", iris, "species", list(iris.target_names))
classes("wine", datasets.load_wine(), "cultivar", ["first", "second", "third"])
cancer = datasets.load_breast_cancer()
classes("cancer", cancer, "diagnosis", list(cancer.target_names))
diabetes = datasets.load_diabetes(scaled=False)
write("diabetes", [*diabetes.feature_names, "progression"], [[*map(shown, row), shown(y)] for row, y in zip(diabetes.data, diabetes.target)])
linnerud = datasets.load_linnerud()
write("linnerud", [*linnerud.feature_names, *linnerud.target_names], [[*map(shown, x), *map(shown, y)] for x, y in zip(linnerud.data, linnerud.target)])
digits = datasets.load_digits()
WHITE_TO_BLACK = "0123456789abcdefg"
write("digits", ["pixels", "digit"], [["".join(WHITE_TO_BLACK[int(x)] for x in row), y] for row, y in zip(digits.data, digits.target)])
