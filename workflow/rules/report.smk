"""What a person looks at: the report, the state of the grid, what a run would take.

Needs: every score file of the grid, and the tables; `status` and `estimate` only the plan, and what is there.
Makes: results/report.html, one page that opens offline. `status` and `estimate` are asked for by
name, and print; the log keeps what was printed.
"""


rule report:
    input:
        "results/config.yaml",
        grid="results/grid.csv",
        scores=all_scores,
        deltas="results/tables/deltas.csv",
    output:
        report(
            "results/report.html",
            caption="../captions/report.rst",
            category="Overview",
            labels={"what": "the interactive report"},
        ),
    log:
        "results/logs/report.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        # Of the page: raised, it is made again.
        version=1,
    shell:
        "python -m xstilts.steps.report --grid {input.grid} --tables results/tables --out {output}"
        " --log {log}"


rule status:
    input:
        "results/config.yaml",
        grid="results/grid.csv",
    log:
        "results/logs/status.log",
    localrule: True
    conda:
        ENVIRONMENT
    shell:
        "python -m xstilts.steps.status --grid {input.grid} | tee {log}"


rule estimate:
    input:
        "results/config.yaml",
        grid="results/grid.csv",
    log:
        "results/logs/estimate.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        devices=lambda w: max(1, workflow.cores // THREADS),
    shell:
        "python -m xstilts.steps.estimate --grid {input.grid} --devices {params.devices}"
        " --out results/estimate.csv | tee {log}"


PARTIAL_REPORT = (
    "test ! -e results/grid.csv || python -m xstilts.steps.report --grid results/grid.csv"
    " $(test -e results/tables/deltas.csv && echo --tables results/tables)"
    " --out results/report.html || true"
)
