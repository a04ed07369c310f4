"""The versions of the steps that a spec has."""

# Raise a number when a change of the code changes what the step computes: it is part of the spec of
# every node, so exactly the nodes that depend on it are computed again. (Snakemake does not see an
# edited module.)
VERSIONS = {
    "toy": 2, "model": 1, "prepare": 1, "encode": 1, "train": 1, "evaluate": 1, "difficulty": 1,
    "subset": 1, "bag_of_words": 1, "align": 1, "overlap": 1, "translator": 1,
    "translate": 1, "lexicon": 1, "filter": 1, "projection": 1, "control": 2,
    "similarity": 1, "consistency": 1, "round_trip": 1, "generator": 1, "generate": 1,
    "vision": 1, "features": 1,
}  # fmt: skip
