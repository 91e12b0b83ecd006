"""k-NN, whitened k-NN, logistic regression, RankMe and LiDAR by scikit-learn and NumPy, of the features of cases.ts."""
import json
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

given = json.load(open(sys.argv[1]))


def array(split):
    return np.array(split["values"], dtype=np.float64).reshape(split["images"], -1)


train, test, views = (array(given[name]) for name in ("train", "test", "views"))
train_labels, test_labels = np.array(given["trainLabels"]), np.array(given["testLabels"])


def knn(a, b):
    classifier = KNeighborsClassifier(20, metric="cosine", algorithm="brute", weights=lambda d: np.exp((1 - d) / 0.07))
    return float((classifier.fit(a, train_labels).predict(b) == test_labels).mean())


def entropy_rank(values, epsilon):
    p = values / values.sum() + epsilon
    return float(np.exp(-(p * np.log(p)).sum()))


mean = train.mean(0)
covariance = np.cov(train.T, bias=True)
eigenvalues, vectors = np.linalg.eigh(covariance + 1e-3 * np.trace(covariance) / len(covariance) * np.eye(len(covariance)))
whiten = vectors / np.sqrt(eigenvalues)

standard = (train - mean) / train.std(0)
l2 = 0.01
probe = LogisticRegression(C=1 / (l2 * len(train)), tol=1e-10, max_iter=10000).fit(standard, train_labels)
log_p = probe.predict_log_proba(standard)
loss = -log_p[np.arange(len(train)), train_labels].mean() + l2 / 2 * (probe.coef_**2).sum()

images, count = given["views"]["images"], given["views"]["views"]
views = views.reshape(images, count, -1)
means = views.mean(1)
within = (views - means[:, None]).reshape(images * count, -1)
within = within.T @ within / (images * (count - 1)) + 1e-4 * np.eye(views.shape[2])
w, v = np.linalg.eigh(within)
root = v / np.sqrt(w) @ v.T
lidar = np.linalg.eigvalsh(root @ np.cov(means.T) @ root)

print(json.dumps({
    "knn": knn(train, test),
    "knnWhitened": knn((train - mean) @ whiten, (test - mean) @ whiten),
    "probeLoss": float(loss),
    "probeAccuracy": float((probe.predict((test - mean) / train.std(0)) == test_labels).mean()),
    "rankMe": entropy_rank(np.linalg.svd(train, compute_uv=False), 1e-5),
    "lidar": entropy_rank(np.maximum(lidar, 0), 1e-7),
}, indent=2))
