"""A small world with planted truth, one file a wing: tests, docs and the demo share it."""
