"""The toy world: a generator of data sets in the hub's shape, and of a small encoder to start from.

One small world (`lexicon.tsv`) is expressed in several languages. A task is written once, over
semantic forms (`forms`), and realised in any language by that language's grammar (`languages`).

    lexicon, forms, world    what there is, what can be said of it, how it is drawn at random
    grammar, languages       a semantic form -> tagged tokens -> text
    inference, nli           what follows from what; premise-hypothesis pairs
    paraphrase               sentences with the same words and the same meaning or not
    reading, stories, quiz   contexts with questions; with endings; questions without a context
    entities, supertags      words with BIO tags; with CCG categories
    strata                   named classes of rows
    schema, catalogue, mirror    hub fields; every data set; the mirror on disk
    corpus, vocabulary, pretrain the toy encoder
    tokenizer_kinds, backbones   tiny untrained checkpoints of other architectures
"""
