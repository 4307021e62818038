"""The omics wing: gene embeddings from matrices of genes x samples."""
