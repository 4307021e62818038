"""Settings of what is done to matrices before they are embedded, and of reading public sources."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cistron.methods import Count, CountOrZero, NotNegative, PositiveShare, check_settings

Duplicates = Literal["error", "sum", "mean", "first"]  # what is done about a gene that occurs more than once
SourceName = Literal["depmap", "gtex", "hpa", "hpa-isoforms", "tabula-sapiens", "matrix"]


@dataclass(frozen=True)
class PreprocessingSettings:
    """What is done to a matrix before it is embedded.

    Attributes
    ----------
    log
        log2(x + 1): yes, no, or auto, which takes the logarithm of values that are nowhere negative and
        somewhere above 50. Where at most 1% of such values are negative, auto is an error.
    centre_genes
        Subtract the mean of each gene. Off by default: how much a gene is expressed at all tells about its
        function, and on the GWAS task that level is worth nearly half of the signal.
    scale_genes
        Divide each gene by its standard deviation.
    centre_samples
        Subtract the mean of each sample.
    scale_samples
        Divide each sample by its standard deviation, so that no sample counts more than another.
    minimum_measured
        Share of samples in which a gene must be measured; genes below are left out. The missing values of the
        others are filled with the gene's mean.
    """

    log: Literal["auto", "yes", "no"] = "auto"
    centre_genes: bool = False
    scale_genes: bool = False
    centre_samples: bool = True
    scale_samples: bool = True
    minimum_measured: PositiveShare = 0.5

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class PreparationSettings:
    """Settings of ``cistron omics prepare``.

    Attributes
    ----------
    universe
        File with the genes to keep, one a line in the first column; all when absent.
    olfactory
        depmap: file with the olfactory receptor genes, one a line. Without it no bias is corrected.
    components
        depmap: components of the olfactory PCA.
    drop_last
        depmap: cell lines to leave out after it.
    whiten
        depmap: make the cell lines uncorrelated (generalised least squares).
    identifier
        depmap: which of SYMBOL (ENTREZ) names the genes.
    group
        tabula-sapiens: column of obs with the classes of cells.
    layer
        tabula-sapiens, matrix: layer of the values. Cells are read from layers["counts"] where there is one, else from X, or where X
        holds no counts from .raw or layers["raw_counts"]; a matrix from X. hpa: measure, for example nTPM.
    genes_in
        tabula-sapiens: column of var with the gene ids.
    modality
        tabula-sapiens, matrix: modality of a .h5mu, or feature type of Cell Ranger's files.
    per_cell
        tabula-sapiens: total that each cell is scaled to before the sum; 0 takes the values as they are.
    minimum_cells
        tabula-sapiens: smallest class of cells.
    duplicates
        What becomes of genes that occur more than once: sum, mean, first, or error. When absent: error for a matrix; first for
        the sources, which list few genes twice.
    matrix
        matrix: what is done to it. gtex: whether genes are centred.
    """

    universe: Path | None = None
    olfactory: Path | None = None
    components: Count = 4
    drop_last: CountOrZero = 4
    whiten: bool = False
    identifier: Literal["symbol", "entrez"] = "symbol"
    group: str = "cell_ontology_class"
    layer: str | None = None
    genes_in: str | None = None
    modality: str | None = None
    per_cell: NotNegative = 10_000.0
    minimum_cells: Count = 1
    duplicates: Duplicates | None = None
    matrix: PreprocessingSettings = field(default_factory=PreprocessingSettings)

    def __post_init__(self) -> None:
        check_settings(self)
