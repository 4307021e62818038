"""``cistron cells compare``: every row on the same cells, genes and split; one picture."""

import json

import numpy as np
import pytest

from cistron.cells.controls import rows_of
from cistron.formats.prediction import read_prediction
from cistron.formats.scores import read_scores
from cistron.report.quadrants import quadrant_drawing


def test_rows_stand_on_one_split_and_the_picture_names_what_is_undefined(run, files, tmp_path):
    out = tmp_path / "out"
    options = (
        "--embedding",
        files["embedding"],
        "--test-chromosome",
        "1",
        "--scored-cells",
        60,
        "--scored-genes",
        70,
    )
    command = ("cells", "compare", files["cells"], *options, "--draws", 20, "--no-report", "--output", out)
    code, told, errors = run(*command)
    assert code == 0, errors
    assert "quadrants.png" in told
    names = [row.name for row in rows_of("bilinear", "planted functions", types=True)]
    predictions = [read_prediction(out / "predictions" / f"{number}.h5ad") for number in range(len(names))]
    split = json.loads((out / "predictions" / "split.json").read_text())
    for name, one in zip(names, predictions):
        assert one.uns["cistron"]["name"] == name
        assert list(one.obs_names) == list(predictions[0].obs_names)
        assert sorted(one.obs["split"].value_counts()) == [60, 60]
        assert list(one.var_names) == list(predictions[0].var_names)
        assert set(one.var_names[one.var["split"] == "test"]) <= set(split["genes"]["test"])
        unseen = one.layers["predicted"][:, (one.var["split"] == "test").to_numpy()]
        assert np.isfinite(unseen).any() == (
            name in names[:2]
        )  # one-hot, types and means know nothing of them
    assert predictions[1].uns["cistron"]["control"] == "permuted embedding"
    scores = read_scores(out / "scores" / "scores.parquet")
    drawing = quadrant_drawing(scores)
    texts = [text.get_text() for axes in drawing.figure.axes for text in axes.texts]
    assert texts.count("undefined") >= 2 * 3 * 3
    titles = [axes.get_title(loc="left") for axes in drawing.figure.axes[:4]]
    assert titles[0] == "unseen genes,\nunseen cells"
    assert titles[3] == "seen genes,\nseen cells"
    unseen = scores[(scores["stratum"] == "unseen genes, unseen cells") & (scores["target"] == "cells")]
    across = unseen[unseen["metric"] == "pearson_across_genes"].set_index("embedding")["value"]
    assert across[names[0]] > across[names[1]] + 0.2


def test_a_comparison_needs_an_embedding(fails, files, tmp_path):
    said = fails("cells", "compare", files["cells"], "--embedding", "one-hot", "--output", tmp_path / "x")
    assert "needs an embedding" in said


@pytest.mark.parametrize("types", [True, False])
def test_the_nearest_type_needs_types(types):
    assert ("nearest type" in [row.name for row in rows_of("ridge", "e", types)]) is types
