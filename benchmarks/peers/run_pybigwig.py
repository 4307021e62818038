"""Bin a bigWig with pyBigWig: ``python run_pybigwig.py WINDOWS.tsv OUTPUT.npy FILE...``; prints seconds."""

import sys
import time

import numpy as np
import pyBigWig

windows = [line.split("\t") for line in open(sys.argv[1]).read().splitlines()[1:]]
started = time.perf_counter()
arrays = []
for path in sys.argv[3:]:
    handle = pyBigWig.open(path)
    values = np.zeros((len(windows), 200), np.float32)
    for row, (chromosome, start, end, _) in enumerate(windows):
        means = handle.stats(chromosome, int(start), int(end), type="mean", nBins=200, exact=True)
        values[row] = [0.0 if mean is None else mean for mean in means]
    arrays.append(np.log1p(values))
print(time.perf_counter() - started)
np.save(sys.argv[2], np.stack(arrays))
