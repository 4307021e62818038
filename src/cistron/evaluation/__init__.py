"""Tasks that score embeddings, predictions and networks; no task knows which model made what it scores."""
