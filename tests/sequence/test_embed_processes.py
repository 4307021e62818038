"""Embedding in several local processes gives what one process gives."""

import anndata
import numpy as np

from cistron.world.sequence import planted_genome, write_planted_genome


def test_two_processes_give_the_same_as_one(tmp_path, run):
    genome, annotation = write_planted_genome(planted_genome(seed=0), tmp_path)
    assert run("sequence", "initialise", tmp_path / "model")[0] == 0
    found = []
    for workers in (1, 2):
        output = tmp_path / f"{workers}.h5ad"
        code, _, errors = run(
            "sequence", "embed", "--genome", genome, "--annotation", annotation, "--build", "planted",
            "--weights", tmp_path / "model", "--workers", workers, "--output", output,
        )  # fmt: skip
        assert code == 0, errors
        found.append(anndata.read_h5ad(output))
    assert list(found[0].obs_names) == list(found[1].obs_names)
    np.testing.assert_array_equal(found[0].X, found[1].X)
