"""Contributions of enhancers: equal to a pair-by-pair computation, whatever lies outside, on a planted world, with random weights."""

import copy
import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from cistron.cli.main import main
from cistron.errors import InputError
from cistron.evaluation.enhancers import EnhancerSettings, run_enhancers
from cistron.genome import Genome, one_hot
from cistron.genome.shuffling import dinucleotide_shuffle
from cistron.runtime import random_generator
from cistron.sequence import save_weights
from cistron.sequence.enhancer_scores import EnhancerScorer, GeneElements
from cistron.sequence.enhancers import score_enhancers
from cistron.sequence.settings_enhancers import EnhancerScoreSettings
from cistron.world.enhancers import planted_enhancers, write_planted_enhancers

spec = importlib.util.spec_from_file_location(
    "planted_enhancer_model", Path(__file__).with_name("planted_enhancer_model.py")
)
planted_enhancer_model = importlib.util.module_from_spec(spec)
spec.loader.exec_module(planted_enhancer_model)

LENGTH = 4096
EVERY = EnhancerScoreSettings(methods=("gradient", "attention", "ism"), window=256, shuffles=2)


@pytest.fixture(scope="module")
def place(tmp_path_factory, model):
    folder = tmp_path_factory.mktemp("enhancers")
    world = planted_enhancers(3, genes=3)
    write_planted_enhancers(world, folder)
    tracks = pd.DataFrame(
        {
            "organism": ["human"] * 5 + ["mouse"] * 3,
            "index": [*range(5), *range(3)],
            "identifier": [f"t{number}" for number in range(8)],
            "description": [
                "DNASE:blood",
                "CAGE:blood",
                "CAGE:liver",
                "CAGE:blood two",
                "CHIP:x",
                "a",
                "b",
                "c",
            ],
            "strand_pair": [*range(5), *range(3)],
        }
    )
    save_weights(model, folder / "model", tracks=tracks)
    return folder, world


def test_scores_equal_those_of_one_pair_at_a_time(place, model):
    """Of a whole pass: gradient times input, all attention matrices, predictions with the element shuffled."""
    folder, _ = place
    model = copy.deepcopy(model).requires_grad_(False)
    site, specific, agnostic = 8192, np.array([1, 3]), np.array([1, 2, 3])
    middles = (site - 1500, site - 700, site + 900, site + 2000, site + 5000)
    with Genome(folder / "genome.fa", build="planted") as genome:
        scorer = EnhancerScorer(model, genome, "human", specific, agnostic, EVERY, LENGTH)
        found = scorer.score(GeneElements("chr1", site, (site,), middles))
        codes = genome.codes("chr1", site - 2048, site + 2048)
    assert found.site == site
    assert found.inside.tolist() == [True, True, True, False, False]
    encoded = torch.from_numpy(one_hot(codes))[None]
    middle = 2048 // 128 - model.settings.crop

    def at_site(encoded, tracks):
        return (
            model(encoded, ["human"], {"human": torch.from_numpy(tracks)})["human"][
                0, middle - 1 : middle + 2
            ]
            .mean(1)
            .sum()
        )

    for kind, tracks in (("specific", specific), ("agnostic", agnostic)):
        scores = getattr(found, kind)
        for number, place_in_genome in enumerate(middles[:3]):
            low = place_in_genome - (site - 2048) - 128
            one = encoded.clone().requires_grad_()
            at_site(one, tracks).backward()  # a backward pass for each pair
            expected = float((one.grad * encoded)[0, low : low + 256].sum(1).abs().sum())
            assert scores["gradient"][number] == pytest.approx(expected, rel=1e-3)
            total = 0.0
            for draw in range(2):
                after = codes.copy()
                after[low : low + 256] = dinucleotide_shuffle(
                    codes[low : low + 256], random_generator(0, "chr1", low, low + 256, draw)
                )
                total += float(at_site(torch.from_numpy(one_hot(after))[None], tracks)) / 2
            assert scores["ism"][number] == pytest.approx(float(at_site(encoded, tracks)) - total, abs=2e-5)
            if kind == "specific":
                maps = model.attention_maps(encoded)[0].mean((0, 1))  # [T, T]
                rows = maps[15:18].mean(0)
                assert scores["attention"][number] == pytest.approx(
                    float(rows[low // 128 : -(-(low + 256) // 128)].sum()), rel=1e-4
                )
        assert np.isnan([scores[name][3:] for name in EVERY.methods]).all()
    assert np.isnan(found.agnostic["attention"]).all()


def test_the_most_active_start_site_is_taken(place, model):
    folder, _ = place
    model = copy.deepcopy(model).requires_grad_(False)
    sites = (7800, 8192, 8600, 30_000)
    with Genome(folder / "genome.fa", build="planted") as genome:
        scorer = EnhancerScorer(
            model,
            genome,
            "human",
            np.array([1]),
            np.array([1]),
            EnhancerScoreSettings(methods=("attention",), window=256),
            LENGTH,
        )
        found = scorer.score(GeneElements("chr1", 8192, sites, (8000,)))
        with torch.no_grad():
            predicted = model(torch.from_numpy(genome.window("chr1", 6144, 6144 + LENGTH))[None])["human"][
                0, :, 1
            ]
    level = {site: float(predicted[(site - 6144) // 128 - model.settings.crop]) for site in sites[:3]}
    assert found.site == max(level, key=level.get)


def test_a_run_keeps_every_pair_and_goes_on(place, tmp_path, monkeypatch):
    folder, world = place
    extra = world.pairs.iloc[:2].copy()
    extra["measuredGeneSymbol"], extra["name"] = ["PE0", "UNKNOWN"], ["far", "nobody"]
    extra[["chromStart", "chromEnd"]] = [[20_000, 20_100], [100, 200]]
    pairs = pd.concat([world.pairs, extra])
    pairs.to_csv(tmp_path / "pairs.tsv", sep="\t", index=False)

    def run(output, **changes):
        with Genome(folder / "genome.fa", build="planted") as genome:
            return score_enhancers(
                folder / "model",
                genome,
                folder / "genes.gtf",
                tmp_path / "pairs.tsv",
                tmp_path / output,
                tracks=["blood"],
                settings=EnhancerScoreSettings(window=200),
                allow_loss=True,
                threads=1,
                **changes,
            ).frame

    whole = run("a.tsv")
    assert len(whole) == 2 * len(pairs)
    assert whole["name"].drop_duplicates().tolist() == pairs["name"].tolist()
    assert not whole.set_index("name").loc[["far", "nobody"], "in_window"].any()
    assert whole[whole["in_window"]]["score"].notna().all()
    run("b.tsv", shard_size=1)
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()
    assert not list(tmp_path.glob(".*shards*"))
    with (
        pytest.raises(InputError, match="none of the 1 tracks of t0 is CAGE"),
        Genome(folder / "genome.fa", build="planted") as genome,
    ):
        score_enhancers(
            folder / "model",
            genome,
            folder / "genes.gtf",
            tmp_path / "pairs.tsv",
            tmp_path / "c.tsv",
            tracks=["t0"],
        )


def test_a_shuffle_keeps_pairs_of_neighbours():
    random = np.random.default_rng(0)
    codes = random.choice([0, 1, 2, 3, 4], 300, p=[0.4, 0.1, 0.2, 0.29, 0.01]).astype(np.uint8)
    found = dinucleotide_shuffle(codes, random)
    assert (found != codes).mean() > 0.4

    def neighbours(codes):
        return np.bincount(codes[:-1].astype(int) * 5 + codes[1:], minlength=25)

    np.testing.assert_array_equal(neighbours(found), neighbours(codes))
    assert found[0] == codes[0]
    assert found[-1] == codes[-1]
    np.testing.assert_array_equal(dinucleotide_shuffle(codes[:3], random), codes[:3])


def test_random_weights_give_prevalence(place, tmp_path, capsys):
    """The command line end to end, and the negative control."""
    folder, world = place
    words = f"sequence enhancers {folder}/pairs.tsv --genome {folder}/genome.fa --build planted --annotation {folder}/genes.gtf --weights {folder}/model"
    options = f"--tracks blood --methods gradient attention ism --element-window 200 --site-neighbours 1 --shuffles 2 --threads 1 --output {tmp_path}/contributions.tsv"
    assert main(f"{words} {options}".split()) == 0, capsys.readouterr().err
    command = f"evaluate enhancers {tmp_path}/contributions.tsv --pairs {folder}/pairs.tsv --draws 100 --no-report --output {tmp_path}/r"
    assert main(command.split()) == 0, capsys.readouterr().err
    scores = pd.read_parquet(tmp_path / "r" / "scores.parquet")
    rows = scores[(scores["metric"] == "average_precision") & (scores["stratum"] == "all")].set_index(
        "embedding"
    )
    assert {
        "gradient",
        "gradient (agnostic)",
        "attention",
        "ism",
        "ism (agnostic)",
        "distance",
        "random",
    } == set(rows.index)
    prevalence = (world.pairs["Regulated"] == "TRUE").mean()
    assert rows.loc["random", "value"] == pytest.approx(prevalence)
    for name in ("gradient", "attention", "ism"):
        assert rows.loc[name, "value"] < prevalence + 0.35


def test_the_window_can_be_moved_to_hold_more_elements(place, model):
    folder, _ = place
    model = copy.deepcopy(model).requires_grad_(False)
    site, far = 8192, (8192 + 900, 8192 + 2500)
    with Genome(folder / "genome.fa", build="planted") as genome:
        found = {}
        for placement in ("site", "elements"):
            rules = EnhancerScoreSettings(methods=("gradient",), window=256, placement=placement)
            scorer = EnhancerScorer(model, genome, "human", np.array([1]), np.array([1]), rules, LENGTH)
            found[placement] = scorer.score(GeneElements("chr1", site, (site,), far))
        start = site + 2500 + 128 - LENGTH  # as little as holds both
        encoded = torch.from_numpy(one_hot(genome.codes("chr1", start, start + LENGTH)))[
            None
        ].requires_grad_()
    assert found["site"].inside.tolist() == [True, False]
    assert found["elements"].inside.tolist() == [True, True]
    middle = (site - start) // 128 - model.settings.crop
    model(encoded, ["human"])["human"][0, middle - 1 : middle + 2, 1].sum().backward()
    low = far[1] - start - 128
    expected = float((encoded.grad * encoded.detach())[0, low : low + 256].sum(1).abs().sum())
    assert found["elements"].specific["gradient"][1] == pytest.approx(expected, rel=1e-3)


def test_a_report_shows_elements_beside_places_at_like_distance(place, tmp_path, capsys):
    folder, world = place
    words = f"sequence enhancers {folder}/pairs.tsv --genome {folder}/genome.fa --build planted --annotation {folder}/genes.gtf --weights {folder}/model"
    options = f"--tracks blood --element-window 200 --placement elements --controls 2 --threads 1 --report-folder {tmp_path}/r --output {tmp_path}/c.tsv"
    assert main(f"{words} {options}".split()) == 0, capsys.readouterr().err
    controls = pd.read_parquet(tmp_path / "r" / "controls.parquet")
    table = pd.read_csv(tmp_path / "c.tsv", sep="\t")
    assert len(table) == 2 * len(world.pairs)  # the table holds no control
    assert len(controls) <= 4 * len(world.pairs)
    pairs = world.pairs.reset_index(drop=True)
    ratio = controls["distance"] / pairs.loc[controls["row"], "distanceToTSS"].to_numpy()
    assert ratio.between(0.78, 1.22).all()
    assert len(controls) > len(world.pairs)
    scores = pd.read_parquet(tmp_path / "r" / "scores.parquet")
    rows = scores[scores["metric"] == "auroc_against_like_distance"].set_index("model")
    assert set(rows.index) == {"gradient", "attention"}
    assert rows.loc["gradient", "low"] < 0.6  # the weights of this model are random
    page = (tmp_path / "r" / "report.html").read_text()
    assert "scores above a random place at like distance" in page
    assert (tmp_path / "r" / "figures" / "enhancer_contributions_loci.png").exists()


def planted_result(tmp_path, weights, methods="gradient attention ism"):
    """Average precision of all methods: of enhancers of either cell type among places where nothing is, and of those of the chosen one."""
    world = planted_enhancers(5, genes=10)
    write_planted_enhancers(world, tmp_path)
    save_weights(weights, tmp_path / "model", tracks=planted_enhancer_model.TABLE)
    either = world.pairs.assign(Regulated=np.where(world.pairs["kind"] == "none", "FALSE", "TRUE"))
    either.to_csv(tmp_path / "either.tsv", sep="\t", index=False)
    words = f"sequence enhancers {tmp_path}/pairs.tsv --genome {tmp_path}/genome.fa --build planted --annotation {tmp_path}/genes.gtf --weights {tmp_path}/model"
    options = f"--tracks blood --methods {methods} --element-window 128 --shuffles 3 --threads 1 --output {tmp_path}/c.tsv"
    assert main(f"{words} {options}".split()) == 0
    found = {}
    for name in ("either", "pairs"):
        scores = run_enhancers(
            [tmp_path / "c.tsv"],
            tmp_path / f"{name}.tsv",
            tmp_path / name,
            EnhancerSettings(draws=100, controls=2),
        )
        rows = scores[scores["metric"].eq("average_precision") & scores["stratum"].eq("all")]
        found[name] = rows.set_index("embedding")
    return found


def test_a_trained_model_finds_planted_enhancers_by_all_methods(tmp_path):
    found = planted_result(tmp_path, planted_enhancer_model.stored_model())
    either, own = found["either"], found["pairs"]
    for method in ("gradient", "attention", "ism"):
        # above places where nothing is, above the distance and above the score permuted at like distance
        assert either.loc[method, "low"] > either.loc["random", "value"]
        assert either.loc[method, "value"] > either.loc["distance", "value"] + 0.1
        assert either.loc[method, "value"] > either.loc[method, "control_value"] + 0.1
    for method in ("gradient", "ism"):
        # of the cell type: the chosen tracks tell it, all tracks together do not
        assert own.loc[method, "low"] > own.loc["distance", "value"] + 0.2
        assert own.loc[method, "value"] > own.loc[f"{method} (agnostic)", "value"] + 0.2


def test_random_weights_of_the_same_model_find_no_planted_enhancer(tmp_path):
    found = planted_result(tmp_path, planted_enhancer_model.new_model(3).eval(), "gradient attention")[
        "pairs"
    ]
    prevalence = found.loc["random", "value"]
    for method in ("gradient", "attention"):
        assert found.loc[method, "low"] < prevalence + 0.05
        assert found.loc[method, "value"] < 0.45
