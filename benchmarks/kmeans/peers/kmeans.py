"""Lloyd iterations in scikit-learn, without its input checks: kmeans.py ROWS.f32 NUM_ROWS K THREADS, then `run ITERATIONS` on standard input."""
import json
import sys
import time

import numpy as np
import sklearn
from sklearn.cluster._kmeans import _kmeans_single_lloyd
from threadpoolctl import threadpool_limits

path, rows, k, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
x = np.fromfile(path, dtype=np.float32).reshape(rows, -1)
init = x[:: rows // k][:k].copy()
# scikit-learn centres the data first, for accuracy; its inertia is that of the centred rows, which is the same number.
mean = x.mean(axis=0)
x -= mean
init -= mean
weight = np.ones(rows, dtype=np.float32)

with threadpool_limits(limits=threads):
    for line in sys.stdin:
        iterations = int(line.split()[1])
        start = time.perf_counter()
        labels, inertia, centers, n_iter = _kmeans_single_lloyd(x, weight, init.copy(), max_iter=iterations, tol=0, n_threads=threads)
        # One assignment more at the end, for labels and inertia of the last centres.
        seconds = (time.perf_counter() - start) / (n_iter + 1)
        versions = {"scikit-learn": sklearn.__version__, "numpy": np.__version__}
        print(json.dumps({"seconds_per_iteration": seconds, "inertia": float(inertia), "versions": versions}), flush=True)
