"""Tasks that score embeddings, predictions and networks; no task knows which model made what it scores."""

from cistron.old_names import keep_old_modules

keep_old_modules(
    __name__,
    {
        "edge_interventions": ("edges.interventions",),
        "edge_models": ("edges.causalbench",),
        "edge_references": ("edges.references",),
        "edge_rows": ("edges.rows",),
        "edge_truth": ("edges.truth",),
        "edges_output": ("edges.run",),
    },
)
