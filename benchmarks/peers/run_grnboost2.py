"""Run arboreto's GRNBoost2 on a part of the targets; started by benchmarks/networks_speed.py in arboreto's environment.

Arguments: matrix.npy (float32 [cell, gene]), first target, step, output.npy. Arboreto's own function for one target is
called in a plain loop: its Dask scheduling is left out, which only favours it.
"""

import sys
import time

import numpy as np
from arboreto.core import SGBM_KWARGS, infer_partial_network


def main() -> None:
    matrix = np.load(sys.argv[1])
    genes = [f"G{number}" for number in range(matrix.shape[1])]
    weight = np.zeros((len(genes), len(genes)), dtype=np.float32)
    started = time.process_time()
    for target in range(int(sys.argv[2]), len(genes), int(sys.argv[3])):
        links = infer_partial_network(
            regressor_type="GBM",
            regressor_kwargs=SGBM_KWARGS,
            tf_matrix=matrix,
            tf_matrix_gene_names=genes,
            target_gene_name=genes[target],
            target_gene_expression=matrix[:, target],
            include_meta=False,
            early_stop_window_length=25,
            seed=0,
        )
        for source, importance in zip(links["TF"], links["importance"]):
            weight[int(source[1:]), target] = importance
    np.save(sys.argv[4], weight)
    print(time.process_time() - started)


main()
