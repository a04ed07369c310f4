"""Measures of alignment: how well the embeddings of sentences and of their translations agree.

Each is of parallel sentences at one layer: `x` [n, H] in a language, `y` [n, H] in the pivot
(English), row i of one being the translation of row i of the other. Pure, in torch, on the device
of the vectors; at most 2,000 sentences are meant, whose n x n products take 16 MB.
"""

HIGHER, LOWER = "higher", "lower"
# The measures, and which values of each are those of better aligned embeddings.
BETTER = {
    "retrieval_to": HIGHER,
    "retrieval_from": HIGHER,
    "margin": HIGHER,
    "cosine_gap": HIGHER,
    "cka": HIGHER,
    "spectral": LOWER,
    "isotropy": HIGHER,  # of the language's embeddings alone: how evenly they use the space
    "mexa": HIGHER,
}
NEIGHBOURS = 4  # of the margin, as Artetxe and Schwenk have them
SHARE = 0.9  # of the sum of eigenvalues, as Søgaard et al. have it
# The fewest sentences of which each can be computed: a non-pair; neighbours that are not all; the
# denominator n (n - 3) of the debiased HSIC; a graph that is not always the same; a variance.
FEWEST = {
    "retrieval_to": 2,
    "retrieval_from": 2,
    "margin": NEIGHBOURS + 1,
    "cosine_gap": 2,
    "cka": 4,
    "spectral": 4,
    "isotropy": 2,
    "mexa": 2,
}
