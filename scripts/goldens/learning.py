"""learning.json: what scikit-learn's perceptrons reach on real data; and the data themselves, as CSV in __test__/data.

A split and its training are noisy: iris has 45 rows to test on. So every split is learned from several initial states,
and what mikir is held to is their mean less three standard errors of the difference that as good a library would show.
"""

import csv
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

warnings.simplefilter("ignore", ConvergenceWarning)  # all epochs are wanted

DATA = Path(__file__).resolve().parents[2] / "__test__" / "data"
SEEDS = 10
STATES = 10  # of each split; the first is random_state=seed
HIDDEN = 16
RATE = 0.01

# Off: the penalty, and stopping before the last epoch.
COMMON = {
    "hidden_layer_sizes": (HIDDEN,), "activation": "relu", "solver": "adam", "learning_rate_init": RATE,
    "alpha": 0, "tol": 0, "n_iter_no_change": 10**9,
}
IRIS = {"batch_size": 16, "max_iter": 100}
DIABETES = {"batch_size": 32, "max_iter": 20}  # more of them overfit: r2 is 0.43 after 20 epochs and 0.35 after 60


def write_csv(name, header, rows):
    DATA.mkdir(parents=True, exist_ok=True)
    with open(DATA / name, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def plain(numbers):
    """Whole numbers without a point; others by repr, which round-trips."""
    return [int(x) if x == int(x) else float(x) for x in numbers]


def iris():
    data = load_iris()
    header = ["sepalLength", "sepalWidth", "petalLength", "petalWidth", "species"]
    write_csv("iris.csv", header, [[*map(float, x), data.target_names[y]] for x, y in zip(data.data, data.target)])
    return data.data, data.target


def diabetes():
    data = load_diabetes(scaled=False)
    header = [*data.feature_names, "progression"]
    write_csv("diabetes.csv", header, [plain([*x, y]) for x, y in zip(data.data, data.target)])
    return data.data, data.target


def learn(model, rows, targets, test_rows, seed, settings):
    """The predictions for the test rows, from each initial state."""
    for state in range(STATES):
        learner = model(**COMMON, **settings, random_state=seed + 100 * state)
        learner.fit(rows, targets)
        assert learner.n_iter_ == settings["max_iter"]
        yield learner.predict(test_rows)


def split(seed, inputs, stratify=None):
    train, test = train_test_split(np.arange(len(inputs)), test_size=0.3, random_state=seed, stratify=stratify)
    scaler = StandardScaler().fit(inputs[train])
    return np.sort(train), np.sort(test), scaler.transform(inputs)


def classify():
    inputs, species = iris()
    tests, accuracies = [], []
    for seed in range(SEEDS):
        train, test, x = split(seed, inputs, stratify=species)
        predicted = learn(MLPClassifier, x[train], species[train], x[test], seed, IRIS)
        tests.append(test.tolist())
        accuracies.append([np.mean(p == species[test]) for p in predicted])
    return {
        "data": "iris.csv", "target": "species", "classes": ["setosa", "versicolor", "virginica"],
        **in_mikirs_words(inputs, 3, "softmax", "crossEntropy", IRIS),
        "tests": tests, "accuracy": summary(accuracies, sign=1),
    }


def regress():
    inputs, progression = diabetes()
    tests, r2, mse = [], [], []
    for seed in range(SEEDS):
        train, test, x = split(seed, inputs)
        t = StandardScaler().fit(progression[train][:, None]).transform(progression[:, None])[:, 0]
        predicted = list(learn(MLPRegressor, x[train], t[train], x[test], seed, DIABETES))
        tests.append(test.tolist())
        r2.append([r2_score(t[test], p) for p in predicted])
        mse.append([np.mean((p - t[test]) ** 2) for p in predicted])
    return {
        "data": "diabetes.csv", "target": "progression",
        **in_mikirs_words(inputs, 1, "linear", "squaredError", DIABETES),
        "tests": tests, "r2": summary(r2, sign=1), "mse": summary(mse, sign=-1),
    }


def in_mikirs_words(inputs, units, activation, loss, settings):
    """scikit-learn draws weights as Glorot did, and biases likewise; mikir's biases start at 0."""
    glorot = {"initializer": "glorotUniform"}
    hidden = {"units": HIDDEN, "activation": "relu", **glorot}
    output = {"units": units, "activation": activation, **glorot}
    return {
        "network": {"layers": [inputs.shape[1], hidden, output], "loss": loss},
        "options": {
            "epochs": settings["max_iter"], "batchSize": settings["batch_size"], "optimizer": "adam", "learningRate": RATE,
        },
    }


def summary(scores, sign):
    """scores[seed][state]; sign is 1 where more is better, else -1."""
    scores = np.array(scores)
    deviation = np.sqrt(scores.var(1, ddof=1).mean())

    def limit(runs):
        return scores.mean() - sign * 3 * deviation * np.sqrt(1 / scores.size + 1 / runs)

    first = scores[:, 0]
    values = {
        "mean": scores.mean(), "deviation": deviation, "limit": limit(SEEDS), "limitOfAll": limit(SEEDS * STATES),
        "firstMean": first.mean(), "firstStandardError": first.std(ddof=1) / np.sqrt(SEEDS),
    }
    return {
        **{name: round(float(value), 6) for name, value in values.items()},
        "first": first.round(6).tolist(), "means": scores.mean(1).round(6).tolist(),
    }


def make():
    return {
        "about": "Test scores of scikit-learn's MLPClassifier and MLPRegressor on ten splits of real data, and what mikir has to "
        "reach with the same settings.",
        "notes": [
            "For seed s, tests[s] are the rows of the CSV (counted from 0 after the header) to test on, all others, in order, those "
            "to train on: 105 and 45 of iris, stratified; 309 and 133 of diabetes.",
            "Inputs are standardized with the mean and the deviation of the training rows, (x - mean) / deviation with "
            "deviation^2 = sum (x - mean)^2 / n; so is the target of diabetes, and mse is in its units.",
            "'network' and 'options' are in mikir's words: new NeuralNetwork({ ...network, seed }), fit(inputs, targets, options). "
            "Shuffled every epoch. scikit-learn: MLPClassifier and MLPRegressor with alpha=0, tol=0, n_iter_no_change=10^9.",
            "Scores: 'mean' over the seeds and ten initial states of each, random_state=s + 100 k; 'deviation' from state to state "
            "within a split; 'means' of each seed; 'first' of k = 0 alone, with mean and standard error over the seeds.",
            "The mean of mikir's scores must not be worse than 'limit' where each split is learned once, than 'limitOfAll' where it is "
            "learned ten times, with seeds s + 100 k: the mean worsened by 3 deviation sqrt(1/100 + 1/runs), runs being 10 or 100.",
        ],
        "seeds": SEEDS, "states": STATES,
        "iris": classify(),
        "diabetes": regress(),
    }
