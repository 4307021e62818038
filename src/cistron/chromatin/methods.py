"""The list of chromatin methods. A new one is a file and an entry here (page ``docs/guide/adding_a_chromatin_method.md``).

``make(data, settings)`` takes :class:`cistron.chromatin.fitting.FittingData` and gives two dictionaries: the parts of a
:class:`cistron.chromatin.fitted_model.ChromatinModel` besides method, settings and facts, and further facts.
"""

from cistron.chromatin.settings import DesignSettings, GeneMeanSettings, MarkRidgeSettings, NetworkSettings
from cistron.chromatin.settings_peers import BoostingSettings, ChromoformerSettings, DeepChromeSettings
from cistron.methods import Method, MethodList, Traits
from cistron.training.settings import FIT_OPTIONS

METHODS = MethodList(
    "chromatin",
    Method(
        name="network",
        summary="permutation-equivariant network over cell types",
        settings=NetworkSettings,
        make="cistron.chromatin.fitting:fit_network",
        meaning="mean of an ensemble of permutation-equivariant networks",
        reference="Batra, Spence and Song; mixing in every block and a linear path are cistron's (preset paper: as published)",
        presets={"paper": NetworkSettings.paper, "convolutional": NetworkSettings.convolutional},
        options=FIT_OPTIONS,
        traits=Traits(trained=True),
    ),
    Method(
        name="per-cell",
        summary="the same network, each cell type alone",
        settings=NetworkSettings,
        make="cistron.chromatin.fitting:fit_network",
        meaning="the same network without other cell types",
        reference="what a network of one cell type at a time can know",
        presets={"default": NetworkSettings.per_cell},
        prefixes=("network",),
        options=FIT_OPTIONS,
        traits=Traits(trained=True),
    ),
    Method(
        name="ridge",
        summary="ridge on the marks around the start site",
        settings=MarkRidgeSettings,
        make="cistron.chromatin.fitting:fit_ridge_method",
        meaning="ridge on the mean of each mark at the promoter (preset window: in 20 bins of the window)",
        reference="Karlic et al. 2010",
        presets={"window": MarkRidgeSettings.window},
    ),
    Method(
        name="boosting",
        summary="gradient boosting on bins",
        settings=BoostingSettings,
        make="cistron.chromatin.boosting:fit_boosting",
        meaning="gradient-boosted trees on the mean of each mark in 20 bins of the window",
        reference="LightGBM (Ke et al. 2017)",
        traits=Traits(trained=True),
    ),
    Method(
        name="deepchrome",
        summary="a convolution and two layers, each cell type alone",
        settings=DeepChromeSettings,
        make="cistron.chromatin.fitting:fit_network",
        meaning="a network of DeepChrome's form, as regression",
        reference="DeepChrome (Singh et al. 2016), with expression instead of two classes",
        options=FIT_OPTIONS,
        traits=Traits(trained=True),
    ),
    Method(
        name="chromoformer",
        summary="transformers at three resolutions, each cell type alone",
        settings=ChromoformerSettings,
        make="cistron.chromatin.fitting:fit_network",
        meaning="a network of Chromoformer's form without distal elements",
        reference="Chromoformer (Lee et al. 2022), smaller and without its distal elements",
        options=FIT_OPTIONS,
        traits=Traits(trained=True),
    ),
    Method(
        name="gene-mean",
        summary="baseline: the mean of the gene, for held-out cell types only",
        settings=GeneMeanSettings,
        make="cistron.chromatin.fitting:fit_gene_mean",
        meaning="mean of the gene over the training cell types",
        reference="the null model of held-out cell types",
    ),
)
# What `cistron chromatin design` can be told: one method, whose settings are options without a prefix.
DESIGN = Method(
    name="design",
    summary="smallest plausible edit that reaches a wanted expression",
    settings=DesignSettings,
    make="cistron.chromatin.design:design_epigenome",
    meaning="marks after the edit",
    reference="Batra, Spence and Song, equation 1; limits and prices are cistron's (preset paper: without them)",
    presets={"paper": DesignSettings.paper},
)
