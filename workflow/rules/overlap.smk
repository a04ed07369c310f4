"""Overlap: how much of the English targets is in the train rows of a task of stage 1.

Needs: results/data.
Makes: results/overlap/{task}/{target}.json, and {task}.json, which says that all are there. It alone is
declared, so a new target leaves the others.
"""


rule overlap:
    """how many rows of each target stand in the train rows of a task"""
    input:
        unpack(inputs(node("overlap", "task"))),
    output:
        "results/overlap/{task}.json",
    log:
        "results/logs/overlap/{task}.log",
    priority: priority(node("overlap", "task"))
    localrule: True
    conda:
        ENVIRONMENT
    params:
        specs=lambda w: spec_text(GRID.overlap_specs(w.task)),
    shell:
        "python -m xstilts.steps.overlap --specs {params.specs:q} --train {input.train} --rows {input.rows}"
        " --out {output} --log {log}"
