"""The records of the catalogue, one file a field."""
