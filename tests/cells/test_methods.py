"""Each method finds what was planted, none sees what it should not, and what is undefined is NaN."""

import numpy as np
import pytest

from cistron.cells import METHODS, CellExpression, read_cells, read_features
from cistron.cells.kernel_ridge import fit_kernel_ridge
from cistron.cells.predicting import chosen_genes
from cistron.cells.settings import BilinearSettings
from cistron.cells.shrinkage import shrink_to_features
from cistron.errors import InputError
from cistron.genes.splits import Split
from cistron.world.cells import CellWorldSettings, cell_world

CLOSED = [name for name in METHODS if name != "transformer"]


def parts(model, cells):
    genes = np.array(model.split.genes.part_of(model.genes))
    return genes, np.array(model.split.cells.part_of(cells.observations.index))


@pytest.fixture(scope="module")
def scores(fitted, predicted, within):
    """Correlation within unseen cells, by method and part of the genes."""
    cells, split, features, _ = fitted
    found = {}
    for name in CLOSED:
        model = CellExpression(method=name).fit(cells, features, split, cell_type="cell_type")
        values, observed = predicted(model, cells)
        genes, rows = parts(model, cells)
        for part in ("train", "test"):
            place = np.ix_(rows == "test", genes == part)
            defined = np.isfinite(values[place]).all()
            found[name, part] = within(values[place], observed[place]) if defined else np.nan
            assert defined or np.isnan(values[place]).all()
    return found


def test_unseen_genes_are_predicted_close_to_the_ceiling(world, fitted, scores, within):
    cells, _split, _, model = fitted
    genes, rows = parts(model, cells)
    order = [cells.genes.index(gene) for gene in model.genes]
    counts = world.cells.X.toarray()[:, order]
    observed = np.log1p(1e4 * counts / counts[:, genes == "train"].sum(axis=1, keepdims=True))
    place = np.ix_(rows == "test", genes == "test")
    ceiling = within(world.known_rate[:, order][place], observed[place])
    assert 0.75 * ceiling < scores["bilinear", "test"] < ceiling + 0.02
    assert scores["ridge", "test"] > 0.6 * ceiling
    assert np.isnan(scores["gene-mean", "test"])
    assert np.isnan(scores["nearest-type", "test"])
    assert scores["size-factor", "test"] == pytest.approx(0, abs=1e-6) or np.isnan(
        scores["size-factor", "test"]
    )


def test_seen_genes_in_unseen_cells_are_predicted_best_by_what_their_own_cells_say(scores):
    assert scores["bilinear", "train"] > scores["gene-mean", "train"] + 0.02
    assert scores["bilinear", "train"] > scores["ridge", "train"] + 0.05
    assert scores["nearest-type", "train"] > scores["gene-mean", "train"]


def test_permuted_embedding_knows_nothing_of_unseen_genes(fitted, world, predicted, within):
    cells, split, _, _ = fitted
    found = []
    for seed in range(4):
        features = read_features([world.embedding], cells.genes, split.genes, permute=True, seed=seed)
        model = CellExpression(method="bilinear").fit(cells, features, split)
        values, observed = predicted(model, cells)
        genes, rows = parts(model, cells)
        found.append(
            within(*(array[np.ix_(rows == "test", genes == "test")] for array in (values, observed)))
        )
    assert abs(np.mean(found)) < 0.12


def test_one_hot_is_undefined_for_unseen_genes_and_good_for_seen_ones(fitted, predicted, within):
    cells, split, _, _ = fitted
    features = read_features(["one-hot"], cells.genes, split.genes)
    for name in ("bilinear", "ridge"):
        model = CellExpression(method=name).fit(cells, features, split, cell_type="cell_type")
        values, observed = predicted(model, cells)
        genes, rows = parts(model, cells)
        assert np.isnan(values[:, genes != "train"]).all()
        place = np.ix_(rows == "test", genes == "train")
        assert within(values[place], observed[place]) > 0.4


def test_genes_to_write_are_chosen_by_their_part(fitted):
    _, split, _, model = fitted
    part = np.array(split.genes.part_of(model.genes))
    assert set(part) == {"train", "validation", "test"}
    assert chosen_genes(model, "all").tolist() == list(range(len(part)))
    assert chosen_genes(model, "held-out").tolist() == np.flatnonzero(part != "train").tolist()
    assert chosen_genes(model, "test").tolist() == np.flatnonzero(part == "test").tolist()


def test_a_value_takes_no_part_in_its_own_prediction(fitted, world, predicted):
    """Whatever a gene of a cell is spoiled to, its own prediction stays."""
    cells, _, _, model = fitted
    before, _ = predicted(model, cells)
    place = {gene: number for number, gene in enumerate(cells.genes)}
    for gene in (3, 100, len(model.training) + 5):
        data = world.cells.copy()
        values = data.X.toarray()
        values[:, place[model.genes[gene]]] = 500
        data.X = values
        after, _ = predicted(model, read_cells(data))
        np.testing.assert_array_equal(after[:, gene], before[:, gene])
        if gene < len(model.training):
            assert np.abs(after - before).max() > 0.01


def test_order_of_genes_block_size_and_storage_change_nothing(fitted, world, predicted, monkeypatch):
    cells, _, _, model = fitted
    expected, seen = predicted(model, cells)
    order = np.random.default_rng(0).permutation(cells.shape[1])
    shuffled = read_cells(world.cells[:, order].copy())
    found, again = predicted(model, shuffled)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(again, seen, atol=1e-6)
    monkeypatch.setattr(type(cells).blocks, "__defaults__", (None, 37))
    found, _ = predicted(model, cells)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("name", CLOSED)
def test_saved_models_predict_the_same(fitted, predicted, tmp_path, name):
    cells, split, features, _ = fitted
    model = CellExpression(method=name, seed=4).fit(cells, features, split, cell_type="cell_type")
    model.save(tmp_path / "model")
    again = CellExpression.load(tmp_path / "model")
    assert again.facts == model.facts
    assert again.split == split
    np.testing.assert_array_equal(predicted(again, cells)[0], predicted(model, cells)[0])


def test_the_same_seed_gives_the_same_model(fitted):
    cells, split, features, model = fitted
    again = CellExpression(method="bilinear").fit(cells, features, split)
    for name, value in model.predictor.arrays().items():
        np.testing.assert_array_equal(again.predictor.arrays()[name], value)


def test_genes_that_the_model_never_saw_can_be_added(fitted, world, predicted, within):
    cells, split, _, full = fitted
    new = sorted(split.genes.test)[:20]
    known = world.embedding[~world.embedding.obs_names.isin(new)].copy()
    features = read_features([known], cells.genes, split.genes)
    model = CellExpression().fit(cells, features, split)
    assert not set(new) & set(model.genes)
    more = model.with_new_genes([world.embedding])
    assert more.genes[-20:] == tuple(new)
    values, _ = predicted(more, cells)
    expected, _ = predicted(full, cells)
    place = [full.genes.index(gene) for gene in new]
    assert within(values[:, -20:].T, expected[:, place].T) > 0.9
    with pytest.raises(InputError, match="columns"):
        model.with_new_genes([world.embedding, world.embedding])


def test_embedding_of_what_was_learned(fitted):
    *_, model = fitted
    embedding = model.embed()
    assert embedding.n_obs == 300
    assert embedding.uns["cistron"]["evidence"] == "dna+expression"
    cells, split, features, _ = fitted
    with pytest.raises(InputError, match="no gene embedding"):
        CellExpression(method="gene-mean").fit(cells, features, split).embed()


def test_cells_of_another_scale_or_other_genes_or_without_counts_are_refused(fitted, world):
    *_, model = fitted
    logarithms = world.cells.copy()
    logarithms.X = np.log1p(logarithms.X.toarray())
    with pytest.raises(InputError, match="same scale"):
        next(model.predict(read_cells(logarithms, scale="log-normalised")))
    with pytest.raises(InputError, match="fewer than half"):
        next(model.predict(read_cells(world.cells[:, :60].copy())))
    empty = world.cells.copy()
    values = empty.X.toarray()
    values[7] = 0
    empty.X = values
    with pytest.raises(InputError, match=r"1 cells have no counts.*cell000007"):
        list(model.predict(read_cells(empty)))
    with pytest.raises(InputError, match="--cell-type"):
        CellExpression(method="nearest-type").fit(*fitted[:1], fitted[2], fitted[1])


def test_factors_are_those_of_an_exact_decomposition(fitted):
    """Subspace iteration over sparse blocks against numpy's SVD of the dense centred matrix."""
    from cistron.cells.training_data import TrainingData, principal_factors, training_moments

    cells, split, features, _ = fitted
    data = TrainingData.of(cells, features.genes, split, "a test")
    moments = training_moments(data, np.full(len(data.rows), "all"))
    dense = np.vstack([block.toarray() for _, block in data.blocks()]).astype(np.float64)
    np.testing.assert_allclose(moments.mean, dense.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(moments.variance, dense.var(axis=0), rtol=1e-4)
    _, values, vectors = np.linalg.svd(dense - dense.mean(axis=0), full_matrices=False)
    loadings, residual = principal_factors(data, moments, 3, passes=12)
    expected = vectors[:3].T * values[:3] / np.sqrt(len(dense))
    signs = np.sign((loadings * expected).sum(axis=0))
    np.testing.assert_allclose(loadings, expected * signs, atol=2e-3)
    np.testing.assert_allclose(residual, dense.var(axis=0) - (expected**2).sum(axis=1), atol=2e-3)


def test_posterior_factors_are_those_of_the_textbook(fitted):
    """E[f | y] = (L' N^-1 L + I)^-1 L' N^-1 (y - mean), cell by cell."""
    from cistron.cells.normalisation import Normalisation

    cells, _, _, model = fitted
    linear, training = model.predictor, len(model.training)
    block = cells.only(model.training).rows.block(0, 3)[:, cells.only(model.training).columns]
    normalisation = Normalisation("counts", np.arange(training))
    everything = np.ones(training, dtype=bool)
    found = linear.factors(block, normalisation, None, everything)
    expression = normalisation.expression(block).toarray()
    precision = linear.anchors.T / linear.noise
    inner = precision @ linear.anchors + np.eye(linear.anchors.shape[1])
    for row in range(3):
        expected = np.linalg.solve(inner, precision @ (expression[row] - linear.anchor_mean))
        np.testing.assert_allclose(found[row], expected, rtol=1e-4, atol=1e-5)


def test_kernel_finds_what_lines_cannot():
    random = np.random.default_rng(0)
    x = random.standard_normal((400, 2)) / 2**0.5
    y = np.column_stack([np.sin(4 * x[:, 0]), x[:, 1]])
    names = [f"g{number}" for number in range(400)]
    split = Split(frozenset(names[:300]), frozenset(), frozenset(names[300:]))
    error = {}
    for kernel in (True, False):
        fitted = fit_kernel_ridge(x[:300], y[:300], names[:300], split, kernel=kernel)
        error[kernel] = ((fitted.predict(x[300:]) - y[300:]) ** 2).mean(axis=0)
    assert error[True][0] < 0.02
    assert error[False][0] > 0.1
    assert max(error[True][1], error[False][1]) < 0.01


def test_more_columns_than_genes_give_the_ridge_of_the_textbook():
    random = np.random.default_rng(2)
    x, y = random.standard_normal((30, 200)) / 200**0.5, random.standard_normal((30, 2))
    names = [f"g{number}" for number in range(30)]
    split = Split(frozenset(names[:20]), frozenset(), frozenset(names[20:]))
    wide = fit_kernel_ridge(x[:20], y[:20], names[:20], split, kernel=False)
    assert wide.coefficients.shape[0] == 21
    turned = x @ np.linalg.qr(random.standard_normal((200, 200)))[0]
    again = fit_kernel_ridge(turned[:20], y[:20], names[:20], split, kernel=False)
    np.testing.assert_allclose(wide.predict(x[20:]), again.predict(turned[20:]), atol=1e-8)


def test_shrinkage_gives_the_posterior_mean():
    random = np.random.default_rng(1)
    predicted = random.standard_normal((4000, 1))
    true = predicted + random.normal(0, 0.5, (4000, 1))
    measured = true + random.normal(0, 1.0, (4000, 1))
    found = shrink_to_features(measured, predicted, np.ones((4000, 1)), np.array([1.0]))
    assert np.mean((found - true) ** 2) == pytest.approx(1 / (1 / 0.25 + 1), rel=0.1)


def test_bad_settings_and_methods():
    with pytest.raises(InputError, match="no cells method 'forest'"):
        CellExpression(method="forest")
    with pytest.raises(InputError, match="takes BilinearSettings"):
        CellExpression(object())
    with pytest.raises(InputError, match="factors must be 1 or more"):
        BilinearSettings(factors=0)


def test_worlds_are_as_described():
    world = cell_world(CellWorldSettings(genes=60, chromosomes=3, cells=80, own=0.0), seed=5)
    np.testing.assert_allclose(world.known_rate, world.logarithmic_rate, atol=1e-5)
    again = cell_world(CellWorldSettings(genes=60, chromosomes=3, cells=80, own=0.0), seed=5)
    assert (world.cells.X != again.cells.X).nnz == 0
    sizes = world.cells.var["family"].value_counts()
    assert (sizes == 3).sum() == 4
    with pytest.raises(InputError, match="2 cells a type"):
        CellWorldSettings(cells=3)
