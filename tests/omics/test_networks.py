"""Autoencoder and VDTF: the algebra of tiles, held-out entries, planted truth, resume, bad input."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cistron.errors import InputError
from cistron.evaluation.recovery import canonical_correlations
from cistron.formats import read_gene_embedding
from cistron.omics import (
    AutoencoderSettings,
    OmicsEmbedder,
    OmicsMatrix,
    PcaSettings,
    PreprocessingSettings,
    VdtfSettings,
    prepare_matrix,
    principal_components,
)
from cistron.omics.autoencoder import encode
from cistron.omics.axes import principal_axes
from cistron.omics.factorise import _start, factorise
from cistron.omics.scaling import EntryScale, draw_held_out, scaled_entries
from cistron.omics.tensor_factorisation import Decoder, TensorFactorisation, kl_from_standard_normal
from cistron.omics.tiles import AssayEntries, tiles_of_epoch
from cistron.training import FitSettings
from cistron.world import WorldSettings, plant_genes, plant_omics, write_world

SHORT = FitSettings(epochs=3, learning_rate=1.5e-3, patience=None, accelerator="cpu")
SMALL = VdtfSettings(gene_dimension=6, sample_dimension=5, width=12, fit=SHORT)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _planted(assay="tissues", genes=500, seed=3):
    planted = plant_genes(WorldSettings(genes=genes, chromosomes=5), seed)
    matrix = plant_omics(planted, assay)
    frame = pd.DataFrame(np.asarray(matrix.X), matrix.obs_names, matrix.var_names)
    rows = pd.Index(planted.table["gene"]).get_indexer(matrix.obs_names)
    return prepare_matrix(OmicsMatrix.from_frame(frame, assay)), planted.functions[rows], planted


@pytest.mark.parametrize("bilinear", [False, True])
@pytest.mark.parametrize("layers", [2, 3, 5])
def test_the_split_first_layer_is_one_perceptron_on_the_joined_vectors(bilinear, layers):
    decoder = Decoder(replace(SMALL, layers=layers, bilinear=bilinear)).double()
    a, b = torch.randn(7, 6, dtype=torch.float64), torch.randn(4, 5, dtype=torch.float64)
    expected = torch.empty(7, 4, dtype=torch.float64)
    weight = torch.cat([decoder.from_gene.weight, decoder.from_sample.weight], dim=1)
    for i in range(7):
        for j in range(4):
            signal = torch.nn.functional.leaky_relu(weight @ torch.cat([a[i], b[j]]) + decoder.from_gene.bias)
            for layer in decoder.hidden:
                signal = torch.nn.functional.leaky_relu(layer(signal))
            expected[i, j] = decoder.output(signal)[0]
            if bilinear:
                expected[i, j] += decoder.interaction(a[i]) @ b[j]
    torch.testing.assert_close(decoder.tile(a, b), expected)
    rows, columns = torch.tensor([0, 3, 6, 6]), torch.tensor([1, 1, 0, 3])
    torch.testing.assert_close(decoder.pairs(a, b, rows, columns), expected[rows, columns])
    assert len(decoder.hidden) + 2 == layers


def test_divergence_is_that_of_torch():
    mean, variance = torch.randn(5, 3), torch.rand(5, 3) + 0.1
    normal = torch.distributions.Normal(mean, variance.sqrt())
    expected = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(kl_from_standard_normal(mean, variance), expected)


@given(
    seed=st.integers(0, 50),
    tile=st.integers(1, 40),
    width=st.integers(1, 9),
    missing=st.sampled_from([0.0, 0.3, 0.9]),
)
@settings(max_examples=30, deadline=None)
def test_an_epoch_shows_each_observed_entry_once(seed, tile, width, missing):
    generator = np.random.default_rng(seed)
    values = np.arange(11 * 7, dtype=np.float32).reshape(11, 7)
    values[generator.random(values.shape) < missing] = np.nan
    held_out = np.isfinite(values) & (generator.random(values.shape) < 0.2)
    assay = AssayEntries(values, held_out, np.arange(11), np.zeros(11, np.float32))
    shown = []
    for batch in tiles_of_epoch([assay], tile, width, seed, 0):
        if "rows" in batch:
            genes = batch["genes"].numpy()[batch["rows"].numpy()]
            samples = batch["samples"].numpy()[batch["columns"].numpy()]
            np.testing.assert_array_equal(batch["values"], values[genes, samples])
            shown += list(zip(genes.tolist(), samples.tolist()))
            continue
        used = batch["weights"].numpy() > 0
        block = values[batch["genes"].numpy()][:, batch["samples"].numpy()]
        np.testing.assert_array_equal(batch["values"].numpy()[used], block[used])
        row, column = np.nonzero(used)
        shown += list(zip(batch["genes"][row].tolist(), batch["samples"][column].tolist()))
    assert sorted(shown) == sorted(zip(*np.nonzero(np.isfinite(values) & ~held_out)))


def test_an_epoch_can_be_cut():
    values = np.zeros((40, 10), dtype=np.float32)
    assay = AssayEntries(values, np.zeros(values.shape, bool), np.arange(40), np.zeros(40, np.float32))
    whole = list(tiles_of_epoch([assay], 20, 5, 0, 0))
    part = list(tiles_of_epoch([assay], 20, 5, 0, 0, most=100))
    assert sum(batch["values"].numel() for batch in whole) == 400
    assert 100 <= sum(batch["values"].numel() for batch in part) < 140
    np.testing.assert_array_equal(part[0]["genes"], whole[0]["genes"])


def test_a_matrix_that_fits_a_tile_is_one_tile():
    assay = AssayEntries(
        np.zeros((40, 10), np.float32), np.zeros((40, 10), bool), np.arange(40), np.zeros(40, np.float32)
    )
    assert [batch["values"].shape for batch in tiles_of_epoch([assay], 400, 10, 0, 0)] == [(40, 10)]
    assert len(list(tiles_of_epoch([assay], 200, 10, 0, 0))) == 2


def test_samples_start_at_their_principal_components_where_asked():
    random = np.random.default_rng(0)
    values = random.normal(size=(30, 1)) @ random.normal(size=(1, 8)) + 0.1 * random.normal(size=(30, 8))
    values -= values.mean(axis=1, keepdims=True)
    empty = np.zeros(30, np.float32)
    assay = AssayEntries(values.astype(np.float32), np.zeros(values.shape, bool), np.arange(30), empty)
    component = np.linalg.svd(values)[2][0]
    found = {}
    for start in ("random", "samples"):
        model = _start([assay], np.full((1, 30), 8), replace(SMALL, start=start), 0)
        sample = model.sample[0].detach().numpy()
        found[start] = abs(np.corrcoef(sample[:, 0], component)[0, 1])
    assert found["samples"] > 0.99
    assert found["random"] < 0.9


def test_gathered_and_masked_tiles_have_the_same_loss():
    torch.manual_seed(0)
    model = TensorFactorisation(4, [3], torch.full((1, 4), 3), replace(SMALL, gene_dimension=2))
    model.gene_log_deviation.data.fill_(-40.0)  # no noise, so that both see the same draw
    values, used = torch.randn(4, 3), torch.tensor([[1, 0, 1], [1, 1, 0], [0, 1, 1], [1, 1, 1]]).bool()
    tile = {"assay": 0, "genes": torch.arange(4), "samples": torch.arange(3)}
    masked = model.loss(tile | {"values": torch.where(used, values, 0), "weights": used.float()})
    rows, columns = torch.nonzero(used, as_tuple=True)
    gathered = model.loss(tile | {"values": values[used], "rows": rows, "columns": columns})
    for name in masked:
        torch.testing.assert_close(masked[name], gathered[name], rtol=1e-4, atol=1e-5)


@given(seed=st.integers(0, 100), share=st.floats(0.05, 0.45), missing=st.floats(0, 0.9))
@settings(max_examples=40, deadline=None)
def test_held_out_entries_are_observed_and_leave_each_gene_one(seed, share, missing):
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(30, 6)).astype(np.float32)
    values[generator.random(values.shape) < missing] = np.nan
    held_out = draw_held_out(values, share, 1000, seed)
    observed = np.isfinite(values)
    assert not (held_out & ~observed).any()
    assert (observed & ~held_out).any(axis=1)[observed.any(axis=1)].all()
    np.testing.assert_array_equal(held_out, draw_held_out(values, share, 1000, seed))


@pytest.mark.parametrize("genes", [False, True])
def test_the_scale_does_not_see_held_out_entries(genes):
    generator = np.random.default_rng(0)
    values = generator.normal(3, 2, size=(50, 8)).astype(np.float32)
    held_out = generator.random(values.shape) < 0.2
    how = PreprocessingSettings(centre_genes=genes, scale_genes=genes)
    scale = EntryScale.fit(values, held_out, how, "m")
    spoiled = np.where(held_out, 1e6, values).astype(np.float32)
    again = EntryScale.fit(spoiled, held_out, how, "m")
    for name in ("gene_centre", "gene_spread", "sample_centre", "sample_spread", "gene_mean"):
        np.testing.assert_array_equal(getattr(scale, name), getattr(again, name))
    scaled = np.where(held_out, np.nan, scale.apply(values))
    np.testing.assert_allclose(np.nanmean(scaled, axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(np.nanstd(scaled, axis=0), 1, atol=1e-4)


def test_a_sample_of_one_value_keeps_its_scale():
    values = np.random.default_rng(2).normal(3, 2, size=(30, 4)).astype(np.float32)
    values[:, 1] = 3.0
    values[5, 1] = 7.0
    held_out = np.zeros(values.shape, dtype=bool)
    held_out[5, 1] = True
    how = PreprocessingSettings(centre_genes=False, scale_genes=False)
    scaled = EntryScale.fit(values, held_out, how, "m").apply(values)
    assert scaled[5, 1] == pytest.approx(4.0)  # 7 less the mean of 3, over 1


def test_both_networks_find_the_planted_functions_nearly_as_principal_components_do():
    prepared, functions, _ = _planted(genes=1500)
    seen = functions[:, :8]  # the assay sees eight
    reference = principal_components(prepared, PcaSettings(dimensions=12)).scores
    # As many dimensions for samples as for genes: fewer than the eight functions cannot hold them.
    wide = replace(SMALL, gene_dimension=12, sample_dimension=12, fit=replace(SHORT, epochs=15))
    vdtf = factorise([prepared], wide, seed=1)
    coded = encode(prepared, AutoencoderSettings(dimensions=12, fit=replace(SHORT, epochs=60)), seed=1)
    found = {
        name: canonical_correlations(values, seen).mean()
        for name, values in {
            "pca": reference,
            "vdtf": vdtf.mean,
            "autoencoder": coded.values,
            "random": np.random.default_rng(0).normal(size=reference.shape),
        }.items()
    }
    assert found["random"] < 0.2
    assert found["vdtf"] > found["pca"] - 0.03
    assert found["autoencoder"] > found["pca"] - 0.06
    assert 0.2 < vdtf.held_out_r2 < 0.5
    assert 0.2 < coded.held_out_r2 < 0.5


def test_a_matrix_of_noise_explains_nothing_held_out():
    prepared, _, _ = _planted("noise")
    assert factorise([prepared], SMALL, seed=1).held_out_r2 < 0.02
    settings_ = AutoencoderSettings(dimensions=6, fit=replace(SHORT, epochs=20))
    assert encode(prepared, settings_, seed=1).held_out_r2 < 0.02


def test_sigma_collapses_without_the_divergence_term():
    prepared, _, _ = _planted()
    wide = replace(SMALL, start_deviation=0.5, gene_rate=50.0, fit=replace(SHORT, epochs=30))
    wide = replace(wide, axes=False)
    kept = factorise([prepared], replace(wide, kl_weight=3.0), seed=1)
    free = factorise([prepared], replace(wide, kl_weight=0.0), seed=1)
    assert kept.deviation.mean() > 2 * free.deviation.mean()


def test_a_gene_that_one_matrix_lacks_is_learned_from_the_others():
    first, _, planted = _planted("tissues", genes=1500)
    second, _, _ = _planted("cell_lines", genes=1500)
    result = factorise(
        [first, second], replace(SMALL, gene_dimension=14, fit=replace(SHORT, epochs=8)), seed=1
    )
    assert set(result.genes) == set(first.genes) | set(second.genes)
    assert set(result.held_out_r2_of) == {"tissues", "cell_lines"}
    truth = pd.DataFrame(planted.functions, index=planted.table["gene"])
    only = [gene for gene in result.genes if gene not in set(first.genes)]
    frame = pd.DataFrame(result.mean, index=result.genes)
    # functions 4 to 11 are what cell lines see; a map fitted on other genes predicts those of the genes
    # that tissues lack
    fitted = [gene for gene in result.genes if gene not in set(only)]
    weights, *_ = np.linalg.lstsq(frame.loc[fitted], truth.loc[fitted], rcond=None)
    predicted = frame.loc[only].to_numpy() @ weights
    correlation = [np.corrcoef(predicted[:, k], truth.loc[only].iloc[:, k])[0, 1] for k in range(12)]
    assert len(only) > 30
    assert np.mean(correlation[4:]) > 0.4


def test_the_adversary_learns_and_its_gradient_is_reversed():
    torch.manual_seed(0)
    settings_ = replace(SMALL, gene_dimension=2, adversary_weight=0.5)
    model = TensorFactorisation(4, [3, 2], torch.ones(2, 4, dtype=torch.int64), settings_)
    from cistron.omics.tensor_factorisation import _Reversed

    a = torch.randn(4, 2, requires_grad=True)
    torch.nn.functional.cross_entropy(model.adversary(a), torch.zeros(4).long()).backward()
    plain, a.grad = a.grad.clone(), None
    reversed_ = model.adversary(_Reversed.apply(a, 0.5))
    torch.nn.functional.cross_entropy(reversed_, torch.zeros(4).long()).backward()
    torch.testing.assert_close(a.grad, -0.5 * plain)


@pytest.mark.parametrize("own", [True, False])
def test_each_assay_has_a_deviation_of_its_own_only_where_wanted(own):
    """Raising the deviation of the second assay changes the loss of its tiles alone."""
    settings_ = replace(SMALL, gene_dimension=2, adversary_weight=0.0, assay_deviation=own)
    model = TensorFactorisation(4, [3, 3], torch.full((2, 4), 3), settings_)
    assert (model.assay_log_deviation is not None) is own
    values = torch.linspace(-1, 1, 12).reshape(4, 3)
    tile = {"genes": torch.arange(4), "samples": torch.arange(3), "values": values, "weights": torch.ones(4, 3)}  # fmt: skip

    def divergences():
        return [model.loss(tile | {"assay": assay})["kl"].item() for assay in (0, 1)]

    before = divergences()
    if own:
        model.assay_log_deviation[1].data.fill_(2.0)
        after = divergences()
        assert after[0] == before[0]
        assert after[1] > before[1]
    else:
        assert before[0] == before[1]


@pytest.mark.parametrize("method", ["autoencoder", "vdtf"])
def test_no_more_entries_are_held_out_than_allowed(method, monkeypatch):
    prepared, _, _ = _planted(genes=300)
    held_out = []

    def counted(*arguments):
        data = scaled_entries(*arguments)
        held_out.append(int(data.held_out.sum()))
        return data

    once = replace(SHORT, epochs=1)
    for most in (500_000, 200):
        if method == "vdtf":
            monkeypatch.setattr("cistron.omics.factorise.scaled_entries", counted)
            factorise([prepared], replace(SMALL, held_out_entries=most, fit=once), seed=1)
        else:
            monkeypatch.setattr("cistron.omics.autoencoder.scaled_entries", counted)
            encode(prepared, AutoencoderSettings(dimensions=6, held_out_entries=most, fit=once), seed=1)
    entries = prepared.matrix.dense().size
    assert held_out[0] == pytest.approx(0.05 * entries, rel=0.1)
    assert held_out[1] == pytest.approx(200, rel=0.3)


def test_missing_entries_are_not_sampled_and_change_nothing():
    prepared, functions, _ = _planted()
    frame = pd.DataFrame(prepared.matrix.dense(), prepared.matrix.genes, prepared.matrix.samples)
    hidden = np.random.default_rng(0).random(frame.shape) < 0.7
    sparse = prepare_matrix(
        OmicsMatrix.from_frame(frame.mask(hidden)), PreprocessingSettings(minimum_measured=0.01)
    )
    data = scaled_entries(sparse, 0.05, 10_000, 0)
    assert np.isnan(data.values).mean() == pytest.approx(0.7, abs=0.02)
    result = factorise([sparse], replace(SMALL, fit=replace(SHORT, epochs=10)), seed=1)
    assert np.isfinite(result.mean).all()
    assert canonical_correlations(result.mean, functions)[0] > 0.6


def test_the_same_seed_and_an_interrupted_run_give_the_same_embedding(tmp_path):
    prepared, _, _ = _planted(genes=300)
    whole = factorise([prepared], SMALL, seed=5)
    half = replace(SMALL, fit=replace(SHORT, epochs=1))
    factorise([prepared], half, seed=5, directory=tmp_path)
    resumed = factorise([prepared], SMALL, seed=5, directory=tmp_path)
    assert resumed.report.resumed_at == 1
    np.testing.assert_array_equal(whole.mean, resumed.mean)
    assert not np.array_equal(whole.mean, factorise([prepared], SMALL, seed=6).mean)
    with pytest.raises(InputError, match="another shape"):
        factorise([prepared], replace(SMALL, gene_dimension=4), seed=5, directory=tmp_path)


def test_command_line_writes_a_valid_embedding_without_deviations_that_do_not_hold(tmp_path, run):
    world = write_world(tmp_path / "world", WorldSettings(genes=300, chromosomes=5))
    both = [world["matrix:tissues"], world["matrix:cell_lines"]]
    options = ["--dimensions", 5, "--vdtf.fit.epochs", 2, "--threads", 1]
    code, printed, errors = run(
        "omics", "embed", *both, "-o", tmp_path / "v.h5ad", "--method", "vdtf", *options
    )
    assert code == 0, errors
    embedding = read_gene_embedding(tmp_path / "v.h5ad")
    assert "std" not in embedding.layers  # sigma is narrower than the error of the means
    assert embedding.n_vars == 5
    assert list(embedding.uns["cistron"]["sources"]["file"]) == [path.name for path in both]
    assert "tissues" in printed
    # One option of the fit leaves the method's other defaults as they are.
    assert '"learning_rate": 0.0015' in embedding.uns["cistron"]["parameters"]
    assert '"schedule": "cosine"' in embedding.uns["cistron"]["parameters"]
    assert (tmp_path / "v.fit" / "log.csv").exists()
    assert not (tmp_path / "v.fit" / "last.ckpt").exists()
    code, printed, errors = run(
        "omics", "embed", both[0], "-o", tmp_path / "a.h5ad", "--method", "autoencoder", "--dimensions", 4,
        "--autoencoder.fit.epochs", 2, "--preset", "paper",
    )  # fmt: skip
    assert code == 0, errors
    header = read_gene_embedding(tmp_path / "a.h5ad").uns["cistron"]
    assert '"corruption": 0.0' in header["parameters"]
    assert '"epochs": 2' in header["parameters"]
    assert '"schedule": "constant"' in header["parameters"]


def test_the_paper_preset_has_no_divergence_term_and_the_reports_size():
    paper = VdtfSettings.paper()
    assert (paper.gene_dimension, paper.sample_dimension, paper.layers) == (256, 164, 3)
    assert paper.kl_weight == 0
    assert paper.noise == "none"
    assert not paper.bilinear
    assert VdtfSettings.paper_many().noise == "gene"


def test_bad_input_is_one_line(tmp_path, fails):
    world = write_world(tmp_path / "world", WorldSettings(genes=300, chromosomes=5))
    tissues = world["matrix:tissues"]
    out = tmp_path / "out.h5ad"
    message = fails("omics", "embed", tissues, "-o", out, "--method", "vdtf", "--dimensions", 61)
    assert "61 dimensions were asked for" in message
    message = fails("omics", "embed", tissues, "-o", out, "--method", "autoencoder", "--dimensions", 61)
    assert "has 60 samples" in message
    frame = pd.DataFrame(
        np.random.default_rng(0).normal(size=(40, 5)), index=[f"ENSG{n:011d}" for n in range(40)]
    )
    frame.columns = [f"s{n}" for n in range(5)]
    frame.to_csv(tmp_path / "other.csv")
    message = fails("omics", "embed", tissues, tmp_path / "other.csv", "-o", out, "--method", "vdtf")
    assert "shares no gene" in message
    message = fails("omics", "embed", tissues, world["matrix:cell_lines"], "-o", out)
    assert "pca takes one matrix" in message
    message = fails("omics", "embed", tissues, "-o", out, "--method", "vdtf", "--vdtf.layers", 1)
    assert "--vdtf.layers must lie between 2 and 8" in message
    message = fails("omics", "embed", tissues, "-o", out, "--method", "vdtf", "--variance", 0.5)
    assert "--variance is of method pca" in message
    (frame * 0 + 1).to_csv(tmp_path / "flat.csv")
    fails("omics", "embed", tmp_path / "flat.csv", "-o", out, "--method", "vdtf", "--dimensions", 2)
    (frame[["s0"]]).to_csv(tmp_path / "one.csv")
    assert "1 sample" in fails("omics", "embed", tmp_path / "one.csv", "-o", out, "--method", "vdtf")
    frame.iloc[:] = np.nan
    frame.to_csv(tmp_path / "missing.csv")
    fails("omics", "embed", tmp_path / "missing.csv", "-o", out, "--method", "vdtf", "--dimensions", 2)
    assert not out.exists()


def test_genes_without_an_entry_are_left_out():
    prepared, _, _ = _planted(genes=300)
    frame = pd.DataFrame(prepared.matrix.dense(), prepared.matrix.genes, prepared.matrix.samples)
    frame.iloc[:3] = np.nan
    embedder = OmicsEmbedder(SMALL, seed=1)
    embedding = embedder.embed(frame)
    assert embedding.n_obs == len(frame) - 3
    assert frame.index[0] not in embedding.obs_names


def test_principal_axes_keep_distances_of_the_reconstruction():
    generator = np.random.default_rng(0)
    latent, weight = (
        generator.normal(size=(200, 4)) @ generator.normal(size=(4, 4)),
        generator.normal(size=(4, 9)),
    )
    rows = np.arange(0, 200, 2)
    explained = latent[rows] @ weight
    axes = principal_axes(latent, rows, [explained[:, :4], explained[:, 4:]])
    y = axes.apply(latent).astype(float)
    wanted = (
        np.linalg.norm((latent @ weight)[3] - (latent @ weight)[8]) / 3
    )  # divided by the root of 9 samples
    assert np.linalg.norm(y[3] - y[8]) == pytest.approx(wanted, rel=1e-3)
    covariance = np.cov(y, rowvar=False)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-4 * covariance.max()
    assert (np.diff(np.diag(covariance)) <= 0).all()
    np.testing.assert_allclose(canonical_correlations(y, latent), 1, atol=1e-4)
    draws = generator.normal(size=(20_000, 4)) * [0.1, 0.2, 0.3, 0.4]
    expected = (draws @ axes.map).std(axis=0)
    np.testing.assert_allclose(axes.deviation(np.array([[0.1, 0.2, 0.3, 0.4]]))[0], expected, rtol=0.05)
