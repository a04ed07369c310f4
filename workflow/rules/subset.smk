"""Subsets of train rows, picked by how difficult they are.

Needs: results/data; of all but random subsets the recorded measures, results/difficulty.
Makes: results/subsets/{model}/{intermediate}/{seed}.parquet and its record, .json: the rows of `subset`
of an intermediate, of which stage 1 trains on no others; results/bags/{task}.parquet, .json: how right
a bag-of-words model is of each train row, for the table `difficulty`.
"""


rule bag_of_words:
    """what can be told of train rows by their words"""
    input:
        unpack(inputs(node("bag_of_words", "task"))),
    output:
        rows="results/bags/{task}.parquet",
        record="results/bags/{task}.json",
    log:
        "results/logs/bag_of_words/{task}.log",
    priority: priority(node("bag_of_words", "task"))
    localrule: True
    conda:
        ENVIRONMENT
    params:
        spec=spec(node("bag_of_words", "task")),
    shell:
        "python -m xstilts.steps.bag_of_words --spec {params.spec:q} --rows {input.rows}"
        " --out {output.rows} --record {output.record} --log {log}"


PICKED = node("subset", "model", "intermediate", "seed")


rule subset:
    """the train rows that an intermediate is trained on"""
    input:
        unpack(inputs(PICKED)),
    output:
        rows="results/subsets/{model}/{intermediate}/{seed}.parquet",
        record="results/subsets/{model}/{intermediate}/{seed}.json",
    log:
        "results/logs/subset/{model}/{intermediate}/{seed}.log",
    priority: priority(PICKED)
    localrule: True
    conda:
        ENVIRONMENT
    params:
        spec=spec(PICKED),
        measured=read_by(PICKED, "measured"),
        recorded=read_by(PICKED, "recorded"),
    shell:
        "python -m xstilts.steps.subset --spec {params.spec:q} --rows {input.rows}"
        " --measured={params.measured} --recorded={params.recorded}"
        " --intermediate {wildcards.intermediate} --out {output.rows} --record {output.record} --log {log}"
