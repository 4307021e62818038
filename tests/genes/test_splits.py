"""Splits hold out whole groups, are disjoint, and guard what is held out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cistron.errors import InputError, LeakageError
from cistron.genes.chromosomes import REFSEQ, accession_build, human_chromosomes
from cistron.genes.splits import (
    Split,
    chromosome_groups,
    normalise_chromosome,
    split_at_random,
    split_by_group,
)


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("chr1", "1"),
        ("CHR1", "1"),
        (1, "1"),
        ("1.0", "1"),
        ("chrX", "X"),
        ("x", "X"),
        (23, "23"),  # dogs have one
        ("NC_000001.10", "1"),
        ("NC_000023.11", "X"),
        ("NC_000086.8", "X"),
        ("NC_060948.1", "Y"),
        ("NC_012920.1", "M"),
        ("NC_000001.1", "NC_000001.1"),  # of no build in use
        ("chrM", "M"),
        ("MT", "M"),
        (" 7 ", "7"),
    ],
)
def test_chromosome_names(given_name, expected):
    assert normalise_chromosome(given_name) == expected


def test_plink_numbers_the_human_sex_chromosomes():
    assert human_chromosomes(["1", 23, "24", "25", "26"]) == ["1", "X", "Y", "XY", "M"]
    assert human_chromosomes(["23", "38"]) == ["23", "38"]
    assert human_chromosomes(["chr23", "chrX"]) == ["23", "X"]


def test_accessions_tell_the_build():
    assert len(REFSEQ) == 2 + 3 * 24 + 2 * 21
    for name, build in (("NC_000002.11", "GRCh37"), ("NC_000002.12", "GRCh38"), ("NC_000068.7", "GRCm38")):
        assert accession_build(["chr1", "NC_012920.1", name]) == build
    assert accession_build(["NC_000068.8"]) == "GRCm39"
    assert accession_build(["chr1"]) == ""


def test_each_chromosome_its_own_fold_short_names_first():
    folds = chromosome_groups(["chr10", "2", "1", "X", "chr2"])
    assert list(folds) == [3, 1, 0, 2, 1]


@given(st.lists(st.integers(1, 22).map(str), min_size=2, max_size=60), st.integers(2, 8))
@settings(max_examples=60)
def test_no_chromosome_is_divided_and_no_fold_is_empty(chromosomes, number):
    found = len(set(chromosomes))
    if found < 2 or number > found:
        with pytest.raises(InputError):
            chromosome_groups(chromosomes, number)
        return
    folds = chromosome_groups(chromosomes, number)
    assert set(folds) == set(range(number))
    for chromosome in set(chromosomes):
        assert len({fold for fold, name in zip(folds, chromosomes) if name == chromosome}) == 1


def test_one_chromosome_is_an_error():
    with pytest.raises(InputError, match=r"at least 2 chromosomes\. Given: 3 genes, all on 7"):
        chromosome_groups(["7", "chr7", "7"])
    with pytest.raises(InputError, match="all on none"):
        chromosome_groups([])


def test_a_name_in_two_parts_is_leakage():
    with pytest.raises(LeakageError, match="1 names are in both train and test, for example A1"):
        Split(frozenset({"A1", "B1"}), frozenset(), frozenset({"A1"}))


def test_the_guard():
    split = Split(frozenset({"A1"}), frozenset({"B1"}), frozenset({"C1"}))
    split.require_training(["A1"], "the model")
    for names in (["A1", "C1"], ["B1"], ["unheard"]):
        with pytest.raises(LeakageError, match="the model was given 1 names outside the training part"):
            split.require_training(names, "the model")
    assert split.part_of(["C1", "A1", "B1", "Z1"]) == ["test", "train", "validation", "unused"]


@given(
    st.lists(
        st.tuples(st.text(max_size=3), st.sampled_from("abcd")), max_size=30, unique_by=lambda pair: pair[0]
    ),
    st.sets(st.sampled_from("abcd"), max_size=2),
    st.sets(st.sampled_from("abcd"), max_size=2),
)
@settings(max_examples=80)
def test_split_by_group_holds_out_whole_groups(pairs, validation, test):
    names, groups = [name for name, _ in pairs], [group for _, group in pairs]
    try:
        split = split_by_group(names, groups, validation=validation, test=test)
    except InputError:
        assert (validation | test) - set(groups) or not set(groups) - validation - test
        return
    assert split.train | split.validation | split.test == set(names)
    for name, group in pairs:
        part = "test" if group in test else "validation" if group in validation else "train"
        assert split.part_of([name]) == [part]


@given(st.integers(0, 200), st.floats(0, 0.49), st.floats(0, 0.49), st.integers(0, 5))
@settings(max_examples=60)
def test_split_at_random_is_a_partition_and_does_not_depend_on_order(count, validation, test, seed):
    names = [f"GENE{number}" for number in range(count)]
    split = split_at_random(names, validation=validation, test=test, seed=seed)
    assert split.train | split.validation | split.test == set(names)
    assert len(split.test) == round(test * count)
    shuffled = list(np.random.default_rng(1).permutation(names)) if names else []
    assert split_at_random(shuffled, validation=validation, test=test, seed=seed) == split


def test_seeds_differ_and_proportions_are_checked():
    names = [f"GENE{number}" for number in range(50)]
    assert split_at_random(names, seed=0) != split_at_random(names, seed=1)
    for validation, test in ((-0.1, 0.2), (0.5, 0.5), (0.2, -0.1)):
        with pytest.raises(InputError, match="proportions must be"):
            split_at_random(names, validation=validation, test=test)
