"""Alignment: one job measures one encoder on one set of parallel sentences, a file a language.

Needs: results/models or results/encoders (no target is tuned for it), and results/data of the set's task
in all its languages.
Makes: results/alignment/{model}/{intermediate}/{seed}/{set}: {lang}.json, and set.json, which says that
all are there. It alone is declared, so a new language leaves the others.
"""

from xstilts.experiment.alignment import FOLDER as ALIGNMENT, RECORD, Row


def row(w):
    """From wildcards to a row of the grid."""
    return Row(w.model, w.intermediate, w.seed)


def aligned(w):
    """From wildcards to the node of a row and set."""
    return GRAPH.align(row(w), w.set)


rule align:
    """how well the sentences of a set and their translations agree, at each layer of an encoder"""
    input:
        unpack(inputs(aligned)),
    output:
        f"{ALIGNMENT}/{{model}}/{{intermediate}}/{{seed}}/{{set}}/{RECORD}",
    log:
        "results/logs/align/{model}/{intermediate}/{seed}/{set}.log",
    wildcard_constraints:
        set="|".join(EXPERIMENT.alignment),
    priority: priority(aligned)
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        budget=4 * BUDGET,
        gpu=gpu_of,
        nodes=1,
        mem_mb=alignment_memory,
        runtime=alignment_minutes,
        attempt=attempt,
        slurm_extra=sbatch("align/{model}/{intermediate}/{seed}/{set}"),
    params:
        specs=lambda w: spec_text(GRID.alignment_specs(row(w), w.set)),
        out=folder,
        state=state,
        model=read_by(aligned, "model", os.path.dirname),
        name="{model}/{intermediate}/{seed}/{set}",
    shell:
        "python -m xstilts.steps.align --name {params.name} --specs {params.specs:q} --model {params.model}"
        " --rows {input.rows} --state {params.state} --budget {resources.budget}"
        " --attempt {resources.attempt} --out {params.out} --log {log}"
