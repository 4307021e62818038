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
        # stats(..., nBins=200, exact=True) looks every bin up on its own, which takes far longer
        bases = handle.values(chromosome, int(start), int(end), numpy=True)
        values[row] = np.nan_to_num(bases).reshape(200, -1).mean(axis=1)
    arrays.append(np.log1p(values))
print(time.perf_counter() - started)
np.save(sys.argv[2], np.stack(arrays))
