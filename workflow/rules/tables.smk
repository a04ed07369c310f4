"""The result tables and figures.

Needs: every score file of the grid; for cost and learning curves also node.json of the trainings.
Makes: results/grid.csv and results/config.yaml (the resolved config), results/tables, results/figures.
After a run in which some jobs failed, tables and figures are made of what is there.
"""


rule plan:
    output:
        grid="results/grid.csv",
        resolved="results/config.yaml",
    log:
        "results/logs/plan.log",
    # First, so that a run that fails early still knows what is missing.
    priority: 100
    localrule: True
    conda:
        ENVIRONMENT
    params:
        # A function, because what is in braces in a text would be taken for a wildcard.
        config=lambda w: json.dumps(config),
        # Of the columns of grid.csv, which the tables read: raised, it is written again.
        version=2,
    shell:
        "python -m xstilts.steps.plan --config {params.config:q} --resolved {output.resolved}"
        " --out {output.grid} --log {log}"


rule tables:
    input:
        grid="results/grid.csv",
        scores=all_scores,
    output:
        *map(captioned, ALL_TABLES),
        touch(TABLES_COMPLETE),
    log:
        "results/logs/tables.log",
    localrule: True
    conda:
        ENVIRONMENT
    shell:
        "python -m xstilts.steps.tables --grid {input.grid} --out results/tables --log {log}"


rule figures:
    input:
        # Not TABLES_COMPLETE: what says that it is whole is asked for by `all` alone.
        ALL_TABLES,
    output:
        *map(captioned, ALL_FIGURES),
    log:
        "results/logs/figures.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: 4
    shell:
        "python -m xstilts.steps.figures --tables results/tables --out results/figures"
        " --processes {threads} --log {log}"


PARTIAL_TABLES = (
    f"rm -f {TABLES_COMPLETE}; "
    "test ! -e results/grid.csv || python -m xstilts.steps.tables --grid results/grid.csv"
    " --out results/tables || true;"
    " test ! -e results/tables/main.csv || python -m xstilts.steps.figures --tables results/tables"
    " --out results/figures || true"
)
