"""``cistron evaluate``: one command a task, each in its own file."""

from cyclopts import App

app = App(name="evaluate", help="Score embeddings, predictions and networks.")
# task: (where its command is, what it does); a new task is one line here
TASKS = {
    "gwas": ("cistron.cli.evaluate_gwas:gwas", "Predict GWAS gene z-scores from gene embeddings."),
    "genesets": (
        "cistron.cli.evaluate_genesets:genesets",
        "Predict membership in gene sets from gene embeddings.",
    ),
    "labels": ("cistron.cli.evaluate_labels:labels", "Predict labels of genes from gene embeddings."),
    "pairs": (
        "cistron.cli.evaluate_pairs:pairs",
        "Predict properties of pairs of genes from gene embeddings.",
    ),
    "expression": (
        "cistron.cli.evaluate_expression:expression",
        "Compare predictions of expression for seen and unseen genes and cells.",
    ),
    "variants": (
        "cistron.cli.evaluate_variants:variants",
        "Compare scores of variants with reporter assays, and with fine-mapped eQTL.",
    ),
    "sldp": (
        "cistron.cli.evaluate_sldp:sldp",
        "Compare signed scores of variants with the signs of a GWAS.",
    ),
    "enhancers": (
        "cistron.cli.evaluate_enhancers:enhancers",
        "Score predicted enhancers of genes on pairs that were tested by perturbation.",
    ),
    "edges": (
        "cistron.cli.evaluate_edges:edges",
        "Score gene networks on perturbed cells, a known network, collections.",
    ),
}
for _name, (_target, _help) in TASKS.items():
    app.command(_target, name=_name, help=_help)
