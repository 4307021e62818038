"""The list of network methods. A new one is a file and an entry here (page ``docs/guide/adding_a_network_method.md``).

``make(cells, settings, seed)`` takes :class:`cistron.formats.perturbed_cells.PerturbedCells` and gives a
:class:`cistron.networks.network.Network`.
"""

from cistron.methods import Method, MethodList, NoSettings, Traits
from cistron.networks.settings import (
    CatranSettings,
    CovariationSettings,
    DefaultSettings,
    DirectSettings,
    MeanShiftSettings,
    TreesSettings,
)

METHODS = MethodList(
    "network",
    Method(
        name="default",
        summary="perturbation evidence, direct effects and co-variation",
        settings=DefaultSettings,
        make="cistron.networks.combined:infer_default",
        meaning="log-odds of a direct edge",
        reference="cistron; modular response analysis (Bruggeman 2002) with spike and slab, empirical Bayes (Stephens 2017)",
        traits=Traits(interventions=True),
    ),
    Method(
        name="catran",
        summary="attention between genes, trained on perturbed cells",
        settings=CatranSettings,
        make="cistron.networks.catran_inference:infer_catran",
        meaning="attention over sources, divided by the mean of each source",
        reference="CaTran (CausalBench challenge entry), mended; preset paper as published",
        presets={"paper": CatranSettings.paper},
        traits=Traits(interventions=True, learns_genes=True),
    ),
    Method(
        name="mean-shift",
        summary="shift of the target's mean",
        settings=MeanShiftSettings,
        make="cistron.networks.baselines:infer_mean_shift",
        meaning="how far the target's mean moves when the source is perturbed",
        reference="Welch 1947; CausalBench's mandatory baseline (preset paper: difference of means)",
        presets={"paper": MeanShiftSettings.paper},
        traits=Traits(interventions=True),
    ),
    Method(
        name="wasserstein",
        summary="Wasserstein distance between perturbed and control cells",
        settings=NoSettings,
        make="cistron.networks.baselines:infer_wasserstein",
        meaning="Wasserstein distance of the target between perturbed and control cells",
        reference="Chevalley et al. 2022",
        traits=Traits(interventions=True),
    ),
    Method(
        name="direct",
        summary="direct effects by inverting total effects",
        settings=DirectSettings,
        make="cistron.networks.baselines:infer_direct",
        meaning="smaller of the direct and the total |z|, plus half the total",
        reference="modular response analysis (Bruggeman et al. 2002)",
        traits=Traits(interventions=True),
    ),
    Method(
        name="correlation",
        summary="correlation over all cells",
        settings=CovariationSettings,
        make="cistron.networks.baselines:infer_correlation",
        meaning="absolute correlation over all cells; the same in both directions",
        reference="Pearson",
    ),
    Method(
        name="partial-correlation",
        summary="partial correlation over all cells",
        settings=CovariationSettings,
        make="cistron.networks.baselines:infer_partial_correlation",
        meaning="absolute partial correlation over all cells; the same in both directions",
        reference="Schäfer and Strimmer 2005",
    ),
    Method(
        name="trees",
        summary="boosted trees that predict each gene from the others",
        settings=TreesSettings,
        make="cistron.networks.trees:infer_trees",
        meaning="share of the source in the gain of the boosted trees that predict the target",
        reference="GRNBoost2 (Moerman et al. 2019) on xgboost",
    ),
    Method(
        name="random",
        summary="random weights, the negative control",
        settings=NoSettings,
        make="cistron.networks.baselines:infer_random",
        meaning="a random number",
        reference="negative control",
    ),
)
