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

# Class 3 neither occurs nor is predicted, class 4 is only predicted, class 2 only occurs.
ABSENT_CLASSES = {
    "targets": [0, 1, 2, 0, 1, 2, 0],
    "outputs": [
        [0.6, 0.1, 0.1, 0.05, 0.15], [0.2, 0.5, 0.1, 0.1, 0.1], [0.1, 0.2, 0.25, 0.15, 0.3], [0.2, 0.35, 0.2, 0.1, 0.15],
        [0.1, 0.6, 0.1, 0.1, 0.1], [0.4, 0.1, 0.3, 0.1, 0.1], [0.7, 0.1, 0.05, 0.05, 0.1],
    ],
}

# Above 0 means class 1. Ties within a class and across the two.
HINGE = {
    "targets": [1, -1, 1, 1, -1, -1, 1, -1, 1],
    "outputs": [1.5, -0.75, 0.25, -0.5, 0.25, -2.0, 0.25, 0.5, 3.0],
}

# Label 1 has ties, label 2 is never predicted.
MULTILABEL = {
    "targets": [[1, 0, 0], [0, 1, 0], [1, 1, 1], [0, 0, 0], [1, 0, 0], [0, 1, 1], [1, 1, 0]],
    "outputs": [
        [0.8, 0.3, 0.1], [0.3, 0.7, 0.2], [0.9, 0.6, 0.45], [0.2, 0.6, 0.05], [0.4, 0.1, 0.15], [0.4, 0.85, 0.1],
        [0.7, 0.6, 0.3],
    ],
}
HINGE_MULTILABEL = {
    "targets": [[1, -1], [-1, 1], [1, 1], [-1, -1], [1, -1]],
    "outputs": [[0.8, -0.3], [0.1, 1.7], [1.9, 0.2], [-1.2, -0.2], [-0.4, 0.6]],
}

REGRESSION = {
    "targets": [[2.5], [-1.3], [0.4], [7.1], [3.3], [-0.8], [1.9], [5.2]],
    "outputs": [[2.1], [-0.9], [0.9], [6.4], [3.9], [-1.5], [1.9], [4.6]],
}
TWO_OUTPUTS = {
    "targets": [[2.5, 10.0], [-1.3, 14.0], [0.4, 9.0], [7.1, 12.5], [3.3, 11.0]],
    "outputs": [[2.1, 10.6], [-0.9, 13.1], [0.9, 9.9], [6.4, 11.8], [3.9, 12.4]],
}
# Output 0: constant and hit exactly, output 1: constant and missed, output 2: ordinary.
CONSTANT_TARGETS = {
    "targets": [[3.0, 2.0, 1.0], [3.0, 2.0, 2.5], [3.0, 2.0, -1.0]],
    "outputs": [[3.0, 2.5, 1.25], [3.0, 2.0, 2.0], [3.0, 1.0, -0.5]],
}


def precision_recall_f1(targets, predicted, average):
    values = metrics.precision_recall_fscore_support(targets, predicted, average=average, zero_division=0)
    return dict(zip(("precision", "recall", "f1"), map(float, values)))


def classification(case, predicted, roc_auc):
    targets, labels = case["targets"], range(np.shape(case["outputs"])[-1]) if np.ndim(case["outputs"]) == 2 else None
    return {
        **case,
        "predicted": predicted,
        "logLoss": float(metrics.log_loss(targets, case["outputs"], labels=labels)),
        "accuracy": float(metrics.accuracy_score(targets, predicted)),
        "macro": precision_recall_f1(targets, predicted, "macro"),
        **({} if roc_auc is None else {"rocAuc": float(roc_auc)}),
        "confusionMatrix": metrics.confusion_matrix(targets, predicted, labels=labels).tolist(),
    }


def binary(case):
    predicted = [int(p > 0.5) for p in case["outputs"]]
    golden = classification(case, predicted, metrics.roc_auc_score(case["targets"], case["outputs"]))
    return {**golden, "positive": precision_recall_f1(case["targets"], predicted, "binary")}


def hinge(case):
    targets = case["targets"]
    predicted = [1 if margin > 0 else -1 for margin in case["outputs"]]
    return {
        **case,
        "predicted": predicted,
        "hingeLoss": float(metrics.hinge_loss(targets, case["outputs"])),
        "accuracy": float(metrics.accuracy_score(targets, predicted)),
        "positive": precision_recall_f1(targets, predicted, "binary"),
        "rocAuc": float(metrics.roc_auc_score(targets, case["outputs"])),
        "confusionMatrix": metrics.confusion_matrix(targets, predicted).tolist(),
    }


def multiclass(case):
    predicted = np.argmax(case["outputs"], 1).tolist()
    is_defined = len(set(case["targets"])) == len(case["outputs"][0])
    roc_auc = metrics.roc_auc_score(case["targets"], case["outputs"], multi_class="ovr") if is_defined else None
    return classification(case, predicted, roc_auc)


def multilabel(case, threshold, loss_name, loss):
    """`loss` is that of one label; scikit-learn takes labels as 0 and 1."""
    outputs = np.array(case["outputs"])
    targets, predicted = [(np.array(values) > threshold).astype(int) for values in (case["targets"], outputs)]
    return {
        **case,
        "predicted": predicted.tolist(),
        loss_name: float(np.mean([loss(t, y) for t, y in zip(targets.T, outputs.T)])),
        "accuracy": float(metrics.accuracy_score(targets, predicted)),
        "macro": precision_recall_f1(targets, predicted, "macro"),
        "rocAuc": float(metrics.roc_auc_score(targets, outputs, average="macro")),
    }


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
            "multilabel: every output is a question of its own; accuracy is the share of rows that are right throughout, the others are "
            "plain means over the labels.",
            "hinge: targets are -1 and 1, predicted is output > 0 (0 and 1 in hingeMultilabel).",
            "r2 of several outputs is the plain mean of the outputs' r2; mse and mae are means over all outputs.",
        ],
        "binary": binary(BINARY),
        "multiclass": multiclass(MULTICLASS),
        "absentClasses": multiclass(ABSENT_CLASSES),
        "multilabel": multilabel(MULTILABEL, 0.5, "logLoss", metrics.log_loss),
        "hinge": hinge(HINGE),
        "hingeMultilabel": multilabel(HINGE_MULTILABEL, 0, "hingeLoss", metrics.hinge_loss),
        "regression": regression(REGRESSION),
        "regressionTwoOutputs": regression(TWO_OUTPUTS),
        "constantTargets": regression(CONSTANT_TARGETS),
    }
