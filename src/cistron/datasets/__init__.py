"""Public data sets: where they are, what they cost, how to cite them, and how to fetch them."""
