"""Searches: hyper-parameters that are chosen on the English dev set (`tune_on_dev`).

Needs: what the training itself needs.
Makes: results/trials/{model}/{intermediate}/{seed}/{trial}/node.json and, of stage 2, .../{task}/{trial}:
the record of a training with one of the values, whose weights are in its state folder until others are
chosen; results/chosen/{model}/{intermediate}.json or .../{intermediate}/{task}.json: which values all
seeds are trained with. The training of the trials' seed takes the best of them as it is.
"""

import re

# Those that are chosen anew although something is made by them: whether that stays is known then.
AGAIN = PLANNING.chosen_anew() if workflow.is_main_process else set()


def one_of(names):
    """The constraint of a wildcard that stands for one of some names."""
    return "|".join(map(re.escape, names)) or "(?!)"


rule choose:
    """the values that are best on the English dev set"""
    input:
        unpack(inputs(node("choose", "search"))),
    output:
        "results/chosen/{search}.json",
    log:
        "results/logs/choose/{search}.log",
    wildcard_constraints:
        search=one_of(name for name in GRID.searches.all if name not in AGAIN),
    priority: priority(node("choose", "search"))
    localrule: True
    conda:
        ENVIRONMENT
    params:
        spec=spec(node("choose", "search")),
    shell:
        "python -m xstilts.steps.choose --spec {params.spec:q} --search {wildcards.search} --trials {input.trials}"
        " --out {output} --log {log}"


checkpoint choose_again:
    """the same, where it decides whether what is there is made again"""
    input:
        unpack(inputs(node("choose", "search"))),
    output:
        "results/chosen/{search}.json",
    log:
        "results/logs/choose/{search}.log",
    wildcard_constraints:
        search=one_of(AGAIN),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        spec=spec(node("choose", "search")),
    shell:
        "python -m xstilts.steps.choose --spec {params.spec:q} --search {wildcards.search} --trials {input.trials}"
        " --out {output} --log {log}"
