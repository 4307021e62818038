"""Every command of the command line with the arguments that its golden was made with.

In arguments ``{inputs}`` is the folder of :mod:`inputs`, ``{artefacts}`` that of the stored artefacts and ``{out}`` a fresh
folder of the case. No case needs what another one wrote, so each can be made again alone.
"""

from dataclasses import dataclass, field

CLOSED = 1e-4
# A network is fitted by hundreds of float32 steps; another processor rounds each of them differently.
TRAINED = 1e-2
# A published recipe without the damping of ours, and the networks of the demo, which are fitted for many epochs.
LONG = 5e-2
SEARCHED = 0.25  # CaTran's published fit of hundreds of steps, which no option shortens


@dataclass(frozen=True)
class Case:
    """One run of a command.

    Attributes
    ----------
    command, name
        The command and what this run of it shows.
    arguments
        What follows the command, one text.
    tolerance
        Relative tolerance of floats.
    before
        Command lines that are run first.
    error
        Where the command must fail: words of its message.
    absent
        Package that is taken to be not installed.
    without
        Rows of tables that are not held, as a pandas query.
    held
        Files (as of a shell) whose contents are held; of the others only that they are written.
    """

    command: str
    name: str
    arguments: str = ""
    tolerance: float = CLOSED
    before: tuple[str, ...] = field(default=())
    error: str = ""
    absent: str = ""
    held: str = "*"
    without: str = ""


OMICS = "{inputs}/world/tissues.h5ad"
BOTH = f"{OMICS} {{inputs}}/world/cell_lines.h5ad"
CELLS = "{inputs}/cells/cells.h5ad"
WITH_EMBEDDING = f"{CELLS} --embedding {{inputs}}/cells/embedding.h5ad --threads 1 --output {{out}}/model"
SCREEN = "{inputs}/network/cells.h5ad"
DNA = (
    "--genome {inputs}/genome/genome.fa --weights {artefacts}/sequence_model --build planted --threads 1"
    " --device cpu"
)
PERSON = "--variants {inputs}/genome/people.vcf --sample ann"
MARKS = "{artefacts}/marks.zarr"
NETWORK = "{artefacts}/chromatin_network"
FOUND = "data fetch human_transcription_factors --mirror {inputs}/mirror --offline --output {out}/cache"
SMALL_NETWORK = (
    "--network.members 2 --network.channels 2 --network.hidden 8 --network.layers 2 --network.kernel 3 --network.coarse 10"
    " --network.fit.epochs 2 --network.fit.warmup-steps 0 --threads 1"
)

SIGNAL = (
    "--genome {inputs}/genome/genome.fa --build planted --folds {inputs}/signal/folds.bed --targets {inputs}/signal/targets.txt"
    " --crop 1024 --input-length 4096"
)

CASES = (
    # its other files are those of commands that have goldens of their own
    Case("demo", "small", "--genes 220 --output {out}/demo", LONG, held="demo/embeddings/*"),
    Case("data list", "one", "hgnc_complete_set"),
    Case("data fetch", "mirror", FOUND.removeprefix("data fetch ")),
    Case("data path", "fetched", "human_transcription_factors --output {out}/cache", before=(FOUND,)),
    Case("genes map", "ids", "{inputs}/ids.txt --to symbol --table {inputs}/names.tsv --output {out}/ids.txt"),
    Case(
        "genes map",
        "table",
        "{inputs}/embedding.csv --to entrez --table {inputs}/names.tsv --output {out}/embedding.csv",
    ),
    Case(
        "genes map",
        "embedding",
        "{artefacts}/pca.h5ad --to symbol --table {inputs}/names.tsv --output {out}/pca.h5ad",
    ),
    Case("store check", "three", "{artefacts}/marks.zarr {artefacts}/epigenesis/map.zarr {artefacts}/design.zarr --verify"),
    Case("embedding check", "two", "{artefacts}/pca.h5ad {inputs}/embedding.csv"),
    Case("embedding convert", "tsv", "{artefacts}/pca.h5ad {out}/pca.tsv"),
    Case("embedding convert", "word2vec", "{artefacts}/pca.h5ad {out}/pca.txt"),
    Case("embedding convert", "parquet", "{artefacts}/pca.h5ad {out}/pca.parquet"),
    Case(
        "embedding convert",
        "h5ad",
        "{inputs}/embedding.csv {out}/wide.h5ad --name wide --evidence dna --licence CC0-1.0",
    ),
    Case(
        "embedding combine", "inner", "{artefacts}/pca.h5ad {artefacts}/vdtf.h5ad --output {out}/inner.h5ad"
    ),
    Case(
        "embedding combine",
        "outer",
        "{artefacts}/pca.h5ad {inputs}/embedding.csv --join outer --no-scale --name both --output {out}/outer.h5ad",
    ),
    Case(
        "omics prepare",
        "depmap",
        "depmap {inputs}/sources/effects.csv --olfactory {inputs}/sources/olfactory.txt --output {out}/m.h5ad",
    ),
    Case("omics prepare", "gtex", "gtex {inputs}/sources/tpm.gct --output {out}/m.h5ad"),
    Case("omics prepare", "isoforms", "hpa-isoforms {inputs}/sources/isoforms.tsv --output {out}/m.h5ad"),
    Case(
        "omics prepare",
        "cells",
        "tabula-sapiens {inputs}/sources/cells.h5ad --genes-in ensembl --output {out}/m.h5ad",
    ),
    Case("omics prepare", "matrix", "matrix {inputs}/sources/matrix.csv --output {out}/m.h5ad"),
    Case("omics join", "two", f"{BOTH} --output {{out}}/joined.h5ad"),
    Case(
        "omics embed",
        "pca",
        f"{OMICS} --dimensions 5 --licence CC0-1.0 --threads 1 --output {{out}}/pca.h5ad",
    ),
    Case(
        "omics embed",
        "variance",
        f"{OMICS} --variance 0.7 --scale-components --centre-genes --scale-genes --threads 1 --output {{out}}/e.h5ad",
    ),
    Case(
        "omics embed",
        "soft-impute",
        f"{BOTH} --method soft-impute --dimensions 4 --threads 1 --output {{out}}/e.h5ad",
    ),
    Case(
        "omics embed",
        "autoencoder",
        f"{OMICS} --method autoencoder --dimensions 4 --autoencoder.fit.epochs 2 --threads 1 --output {{out}}/e.h5ad",
        TRAINED,
    ),
    Case(
        "omics embed",
        "vdtf",
        f"{BOTH} --method vdtf --dimensions 4 --vdtf.width 16 --vdtf.fit.epochs 2 --threads 1 --output {{out}}/e.h5ad",
        TRAINED,
    ),
    Case(
        "omics embed",
        "tuned",
        f"{OMICS} --config {{artefacts}}/tuned/best.toml --threads 1 --output {{out}}/e.h5ad",
        TRAINED,
    ),
    Case(
        "omics tune",
        "reconstruction",
        f"{OMICS} --trials 2 --epochs 2 --largest 6 --threads 1 --output {{out}}/tuned",
        TRAINED,
    ),
    Case("omics methods", "list"),
    Case("sequence methods", "list"),
    Case("cells methods", "list"),
    Case(
        "cells census",
        "package absent",
        "--filter-cells none --output {out}/cells.h5ad",
        error="pip install cellxgene-census",
        absent="cellxgene_census",
    ),
    Case("cells train", "bilinear", WITH_EMBEDDING),
    Case("cells train", "ridge by donor", f"{WITH_EMBEDDING} --method ridge --cell-split donor --seed 2"),
    Case("cells train", "types", f"{WITH_EMBEDDING} --unit cell-type --cell-split none --gene-split random"),
    Case("cells train", "control", f"{WITH_EMBEDDING} --control permuted-embedding --factors 2"),
    Case("cells train", "nearest type", f"{CELLS} --method nearest-type --threads 1 --output {{out}}/model"),
    Case("cells train", "transformer", f"{WITH_EMBEDDING} --method transformer --epochs 1", TRAINED),
    Case(
        "cells compare",
        "bilinear",
        f"{CELLS} --embedding {{inputs}}/cells/embedding.h5ad --draws 20 --no-report --threads 1 --output {{out}}/c",
    ),
    Case(
        "cells predict",
        "bilinear",
        f"{{artefacts}}/cells_bilinear {CELLS} --threads 1 --output {{out}}/p.h5ad",
    ),
    Case(
        "cells predict",
        "types",
        f"{{artefacts}}/cells_bilinear {CELLS} --unit cell-type --genes test --threads 1 --output {{out}}/p.h5ad",
    ),
    Case(
        "cells predict",
        "transformer",
        f"{{artefacts}}/cells_transformer {CELLS} --genes held-out --threads 1 --output {{out}}/p.h5ad",
    ),
    Case(
        "cells join-species",
        "one species twice",
        f"{CELLS} {CELLS} --orthologs {{inputs}}/marks/expression.tsv --embedding {{inputs}}/cells/embedding.h5ad"
        " {inputs}/cells/embedding.h5ad --output {out}/j",
        error="stand in both species",
    ),
    Case(
        "cells export-cell-eval",
        "prediction",
        "{artefacts}/prediction.h5ad --control-type 'type 0' --output {out}/e",
    ),
    Case("cells embed", "bilinear", "{artefacts}/cells_bilinear --output {out}/e.h5ad"),
    Case("networks methods", "list"),
    Case("networks quality", "guides", f"{SCREEN} --guide guide --output {{out}}/quality.tsv"),
    Case("networks export", "graphml", "{artefacts}/edges.tsv --output {out}/e.graphml"),
    Case(
        "networks regimes",
        "mean-shift",
        f"{SCREEN} --method mean-shift --fractions 0 --fractions 1 --edges 50 --output {{out}}/r.tsv",
    ),
    Case("networks infer", "default", f"{SCREEN} --edges 0 --threads 1 --output {{out}}/e.tsv"),
    *(
        Case(
            "networks infer",
            method,
            f"{SCREEN} --method {method} --training-cells --edges 0 --threads 1 --output {{out}}/e.tsv",
        )
        for method in ("mean-shift", "wasserstein", "direct", "trees", "correlation", "partial-correlation")
    ),
    Case(
        "networks infer",
        "catran",
        f"{SCREEN} --method catran --edges 0 --embedding {{out}}/genes.h5ad --threads 1 --output {{out}}/e.tsv",
        SEARCHED,
    ),
    Case("world write", "least", "{out}/sandbox --gene-count 220 --seed 3", held="sandbox/*.tsv"),
    Case("completion", "unknown shell", "tcsh", error="tcsh"),  # a script has every option in it
    Case("sequence initialise", "small", "{out}/model --seed 3"),
    Case(
        "sequence weights",
        "enformer-pytorch",
        "{artefacts}/enformer_pytorch.safetensors {out}/model --length 2048 --crop 2",
    ),
    Case(
        "sequence predict",
        "regions",
        f"{DNA} --regions {{inputs}}/genome/regions.bed --tracks 0-2 --bigwig {{out}}/wigs --output {{out}}/t.zarr",
    ),
    Case(
        "sequence predict",
        "person",
        f"{DNA} {PERSON} --regions {{inputs}}/genome/regions.bed --organism both --augment --output {{out}}/t.zarr",
    ),
    Case("sequence bigwig", "one", "{artefacts}/tracks.zarr --tracks 1 --output {out}/wigs"),
    Case(
        "sequence embed",
        "all",
        f"{DNA} --annotation {{inputs}}/genome/genes.gtf --output-tracks {{out}}/t.zarr --output {{out}}/e.h5ad",
    ),
    Case(
        "sequence embed",
        "person",
        f"{DNA} {PERSON} --annotation {{inputs}}/genome/genes.gtf --genes {{inputs}}/genome/genes.txt"
        " --windows each --neighbours 1 --output {out}/e.h5ad",
    ),
    Case(
        "sequence folds",
        "two",
        "--human {inputs}/folds/human.sizes --mouse {inputs}/folds/mouse.fai --alignment {inputs}/folds/human.mouse.net"
        " --length 65536 --input-length 98304 --folds 3 --output {out}/folds",
    ),
    Case(
        "sequence data",
        "bigwigs",
        f"{SIGNAL} --output {{out}}/human.zarr",
    ),
    Case(
        "sequence train",
        "small",
        "{inputs}/signal/data.zarr --channels 24 --depth 1 --heads 2 --key-size 8 --epochs 2 --batch-size 4 --dropout 0"
        " --accelerator cpu --threads 1 --output {out}/model",
        TRAINED,
    ),
    Case(
        "sequence evaluate",
        "test",
        "{inputs}/signal/model {inputs}/signal/data.zarr --draws 50 --device cpu --threads 1 --output {out}/result",
        TRAINED,
    ),
    # differences of sums are small beside the sums, whose rounding differs from processor to processor
    Case(
        "sequence variants",
        "shared windows",
        f"{{inputs}}/genome/people.vcf {DNA} --shared-windows 512 --log-ratio --output {{out}}/v.parquet",
        LONG,
    ),
    Case(
        "sequence variants",
        "own windows",
        f"{{inputs}}/genome/people.vcf {DNA} --tracks 0-2 --augment --batch-size 4 --output {{out}}/v.parquet",
        LONG,
    ),
    Case(
        "sequence enhancers",
        "both",
        f"{{inputs}}/genome/pairs.tsv {DNA} --annotation {{inputs}}/genome/genes.gtf --methods gradient attention ism --shuffles 2"
        " --element-window 256 --output {out}/c.tsv",
        LONG,
    ),
    Case(
        "sequence saturate",
        "regions",
        f"{DNA} --regions {{inputs}}/genome/regions.bed --span 6 --tracks 0-1 --output {{out}}/map.zarr",
        LONG,
    ),
    Case(
        "sequence design",
        "gradient",
        f"{{inputs}}/genome/design.zarr {DNA} --track-table {{inputs}}/genome/marks.tsv --window -200 200"
        " --judge-weights {artefacts}/sequence_model --expression-model {artefacts}/chromatin_network --protected {inputs}/genome/protected.bed --maximum-edits 3 --candidates 8 --batch-size 4"
        " --edit-price 0.01 --tolerance 0.5 --output {out}/edits",
        LONG,
    ),
    Case(
        "sequence design",
        "ledidi is not installed",
        f"{{inputs}}/genome/design.zarr {DNA} --track-table {{inputs}}/genome/marks.tsv --search ledidi --output {{out}}/edits",
        error="--search ledidi needs ledidi: pip install ledidi",
        absent="ledidi",
    ),
    *(
        Case(
            "sequence embed-protein",
            isoform,
            f"{{inputs}}/proteins.fa --weights {{artefacts}}/esm2 --isoform {isoform} --device cpu --threads 1"
            " --output {out}/e.h5ad",
        )
        for isoform in ("longest", "mean")
    ),
    Case("chromatin methods", "list"),
    Case(
        "chromatin build",
        "binned",
        "--binned {inputs}/marks/short.npz --annotation {inputs}/marks/genes.tsv --transform logged --window 8000"
        " --expression {inputs}/marks/expression.tsv --output {out}/m.zarr",
    ),
    Case(
        "chromatin build",
        "bigwigs",
        "--tracks {inputs}/bigwigs/tracks.tsv --annotation {inputs}/bigwigs/genes.tsv --window 4000"
        " --expression {inputs}/bigwigs/expression.tsv --output {out}/m.zarr",
    ),
    Case(
        "chromatin build",
        "places",
        "--track-table {inputs}/bigwigs/tracks.tsv --annotation {inputs}/bigwigs/bodies.tsv --window 4000 --gene-body-bins 15"
        " --contacts {inputs}/bigwigs/contacts.tsv --output {out}/m.zarr",
    ),
    Case("chromatin train", "network", f"{MARKS} {SMALL_NETWORK} --output {{out}}/model", TRAINED),
    Case(
        "chromatin train",
        "paper",
        f"{MARKS} {SMALL_NETWORK} --preset paper --permuted --output {{out}}/model",
        LONG,
    ),
    Case(
        "chromatin train",
        "boosting",
        f"{MARKS} --method boosting --boosting.bins 4 --boosting.trees 20 --threads 1 --output {{out}}/model",
        TRAINED,
    ),
    *(
        Case(
            "chromatin train",
            peer,
            f"{MARKS} --method {peer} {options} --{peer}.fit.epochs 2 --{peer}.fit.warmup-steps 0 --threads 1 --output {{out}}/model",
            LONG,
        )
        for peer, options in (
            ("deepchrome", "--deepchrome.filters 4 --deepchrome.filter-bins 4 --deepchrome.hidden 8 4"),
            ("chromoformer", "--chromoformer.resolutions 10 --chromoformer.width 4 --chromoformer.feed-forward 4 --chromoformer.hidden 4"),
        )
    ),
    Case("chromatin train", "ridge", f"{MARKS} --method ridge --threads 1 --output {{out}}/model"),
    *(
        Case(
            "chromatin predict", method, f"{{artefacts}}/chromatin_{method} {MARKS} --threads 1 --output {{out}}/{file}"
        )
        for method, file in (("network", "p.h5ad"), ("ridge", "p.tsv"))
    ),
    Case(
        "chromatin epigenesis",
        "real background",
        f"{NETWORK} {MARKS} --background real --genes 4 --no-report --threads 1 --output {{out}}/map",
    ),
    Case(
        "chromatin design",
        "one gene",
        f"{NETWORK} {MARKS} --gene PLANTED00014 --fold 1.1 --quantile 1 --steps 40 --region -4000 4000"
        " --allow-shortfall --threads 1 --output {out}/d.zarr",
        TRAINED,
    ),
    Case("chromatin quality", "marks", f"{MARKS} --no-report --threads 1 --output {{out}}/quality"),
    Case(
        "chromatin export",
        "design",
        "{artefacts}/design.zarr --chromosome-lengths {inputs}/marks/chromosomes.tsv --output {out}/browser",
    ),
    Case(
        "chromatin embed",
        "network",
        f"{NETWORK} {MARKS} --dimensions 4 --threads 1 --output {{out}}/e.h5ad",
    ),
    Case(
        "evaluate gwas",
        "ridge",
        "{artefacts}/pca.h5ad {inputs}/world/true_functions.h5ad --traits {inputs}/world/traits"
        " --covariance {inputs}/world/trait_1.genes.raw --genes {inputs}/world/genes.tsv --draws 20"
        " --workers 1 --threads 1 --no-report --output {out}/scores",
    ),
    Case(
        "evaluate gwas",
        "trees",
        "{artefacts}/pca.h5ad --traits {inputs}/world/traits/trait_1.genes.out --model boosted --projection none"
        " --draws 20 --controls 1 --folds 2 --workers 1 --threads 1 --no-report --output {out}/scores",
        TRAINED,
    ),
    Case(
        "evaluate genesets",
        "planted",
        "{inputs}/world/true_functions.h5ad {artefacts}/pca.h5ad --sets {inputs}/sets.gmt"
        " --genes {inputs}/world/genes.tsv --minimum 5 --folds 4 --controls 10 --draws 20 --threads 1 --no-report"
        " --output {out}/scores",
    ),
    Case(
        "evaluate labels",
        "planted",
        "{inputs}/world/true_functions.h5ad {artefacts}/pca.h5ad --labels {inputs}/labels.tsv --draws 20 --threads 1"
        " --no-report --output {out}/scores",
    ),
    Case(
        "evaluate labels",
        "protocol",
        "{inputs}/world/true_functions.h5ad --labels {inputs}/labels.tsv --protocol zhong2025 --draws 20 --controls 0"
        " --threads 1 --no-report --output {out}/scores",
    ),
    Case(
        "evaluate pairs",
        "planted",
        "{inputs}/world/true_functions.h5ad --pairs {inputs}/pairs.tsv --combinations product --folds 2 --repeats 1"
        " --random 1 --draws 20 --threads 1 --no-report --output {out}/scores",
    ),
    Case(
        "evaluate labels",
        "gains",
        "{inputs}/world/true_functions.h5ad {artefacts}/pca.h5ad --labels {inputs}/labels.tsv --draws 20 --threads 1"
        " --learner ridge --compare-on covered --annotation {inputs}/world/genes.tsv --no-report --output {out}/scores",
    ),
    Case(
        "evaluate pairs",
        "gains",
        "{inputs}/world/true_functions.h5ad --pairs {inputs}/pairs.tsv --combinations product --folds 2 --repeats 1"
        " --random 0 --draws 20 --threads 1 --annotation {inputs}/world/genes.tsv --no-report --output {out}/scores",
    ),
    Case("study init", "example", "--output {out}/study.toml", held="study.toml"),
    Case("study run", "labels", "{inputs}/study.toml --no-report --output {out}/study", held="*.tsv"),
    Case(
        "study add",
        "one more",
        "{out}/study {inputs}/world/true_functions.h5ad --name again --no-report",
        before=("study run {inputs}/study.toml --no-report --output {out}/study",),
        held="*.tsv",
    ),
    Case(
        "gene show",
        "text",
        "CIS7 --study {out}/study",
        before=("study run {inputs}/study.toml --no-report --output {out}/study",),
        held="nothing",
    ),
    Case(
        "evaluate enhancers",
        "planted",
        "{inputs}/enhancers/scores.tsv --pairs {inputs}/enhancers/pairs.tsv --draws 40 --controls 2 --no-report"
        " --output {out}/scores",
    ),
    Case(
        "evaluate variants",
        "planted",
        "{inputs}/mpra/scores.tsv --mpra {inputs}/mpra/measured.tsv --penalties 5 --draws 20 --no-report --output {out}/scores",
        TRAINED,
    ),
    Case(
        "evaluate variants",
        "eqtl",
        "{inputs}/cohort/scores.tsv --eqtl {inputs}/cohort/eqtl.tsv --trees 5 --folds 3 --repeats 1 --draws 20 --no-report"
        " --output {out}/scores",
        TRAINED,
    ),
    Case(
        "evaluate sldp",
        "npz",
        "{inputs}/cohort/scores.tsv --summary {inputs}/cohort/trait.sumstats --ld {inputs}/cohort/panel.npz --flips 1000 --no-report"
        " --output {out}/scores",
        TRAINED,
    ),
    Case(
        "evaluate expression",
        "cells",
        "{artefacts}/prediction.h5ad {artefacts}/prediction_ridge.h5ad --draws 20 --permutations 2 --halvings 2"
        " --threads 1 --no-report --output {out}/scores",
        # the null is constant over unseen genes up to rounding, which Spearman's ranks take for an order
        without="target == 'pseudobulks' and metric == 'spearman_across_genes'",
    ),
    Case(
        "evaluate edges",
        "planted",
        f"{{artefacts}}/edges.tsv --cells {SCREEN} --truth {{inputs}}/network/truth.tsv --reference"
        " {inputs}/network/truth.tsv --omission-draws 20 --resamples 20 --null-repeats 1 --no-report"
        " --output {out}/scores",
    ),
    Case(
        "report build",
        "all tasks",
        "{artefacts}/scores_gwas {artefacts}/scores_genesets {artefacts}/scores_expression {artefacts}/scores_edges"
        " --title Goldens --no-figures --output {out}/report.html",
    ),
)  # fmt: skip
