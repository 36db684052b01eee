"""evaluation.json: the metrics of evaluate() by scikit-learn, on fixed predictions."""

import numpy as np
from sklearn import metrics

# Probabilities of class 1: ties within a class and across the two; none is exactly the threshold of 0.5.
BINARY = {
    "targets": [1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1],
    "outputs": [0.9, 0.2, 0.7, 0.4, 0.7, 0.1, 0.7, 0.4, 0.45, 0.4, 0.95, 0.62, 0.05, 0.2],
}

# Class 3 occurs and is never predicted; column 1 has ties.
MULTICLASS = {
    "targets": [0, 1, 2, 3, 0, 1, 2, 3, 0, 2, 1, 0],
    "outputs": [
        [0.7, 0.1, 0.15, 0.05], [0.2, 0.5, 0.2, 0.1], [0.1, 0.25, 0.6, 0.05], [0.35, 0.1, 0.25, 0.3], [0.3, 0.45, 0.15, 0.1],
        [0.05, 0.8, 0.1, 0.05], [0.5, 0.1, 0.3, 0.1], [0.2, 0.25, 0.45, 0.1], [0.6, 0.25, 0.1, 0.05], [0.15, 0.1, 0.55, 0.2],
        [0.3, 0.25, 0.35, 0.1], [0.42, 0.1, 0.18, 0.3],
    ],
}

REGRESSION = {
    "targets": [[2.5], [-1.3], [0.4], [7.1], [3.3], [-0.8], [1.9], [5.2]],
    "outputs": [[2.1], [-0.9], [0.9], [6.4], [3.9], [-1.5], [1.9], [4.6]],
}
TWO_OUTPUTS = {
    "targets": [[2.5, 10.0], [-1.3, 14.0], [0.4, 9.0], [7.1, 12.5], [3.3, 11.0]],
    "outputs": [[2.1, 10.6], [-0.9, 13.1], [0.9, 9.9], [6.4, 11.8], [3.9, 12.4]],
}


def precision_recall_f1(targets, predicted, average):
    values = metrics.precision_recall_fscore_support(targets, predicted, average=average, zero_division=0)
    return dict(zip(("precision", "recall", "f1"), map(float, values)))


def classification(case, predicted, roc_auc):
    targets = case["targets"]
    return {
        **case,
        "predicted": predicted,
        "logLoss": float(metrics.log_loss(targets, case["outputs"])),
        "accuracy": float(metrics.accuracy_score(targets, predicted)),
        "macro": precision_recall_f1(targets, predicted, "macro"),
        "rocAuc": float(roc_auc),
        "confusionMatrix": metrics.confusion_matrix(targets, predicted).tolist(),
    }


def binary(case):
    predicted = [int(p > 0.5) for p in case["outputs"]]
    golden = classification(case, predicted, metrics.roc_auc_score(case["targets"], case["outputs"]))
    return {**golden, "positive": precision_recall_f1(case["targets"], predicted, "binary")}


def multiclass(case):
    predicted = np.argmax(case["outputs"], 1).tolist()
    return classification(case, predicted, metrics.roc_auc_score(case["targets"], case["outputs"], multi_class="ovr"))


def regression(case):
    t, y = case["targets"], case["outputs"]
    values = {"mse": metrics.mean_squared_error, "mae": metrics.mean_absolute_error, "r2": metrics.r2_score}
    return {**case, **{name: float(metric(t, y)) for name, metric in values.items()}}


def make():
    return {
        "about": "Metrics of fixed predictions (scikit-learn, zero_division=0).",
        "notes": [
            "binary: outputs are probabilities of class 1, predicted is output > 0.5; 'positive' is of class 1, 'macro' the plain mean "
            "over the classes.",
            "multiclass: predicted is the most probable class; rocAuc is the plain mean over the classes of one against the rest.",
            "confusionMatrix[actual][predicted]. Ties in rocAuc count one half.",
            "r2 of several outputs is the plain mean of the outputs' r2; mse and mae are means over all outputs.",
        ],
        "binary": binary(BINARY),
        "multiclass": multiclass(MULTICLASS),
        "regression": regression(REGRESSION),
        "regressionTwoOutputs": regression(TWO_OUTPUTS),
    }
