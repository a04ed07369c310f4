"""The result tables.

Needs: every score file of the grid.
Makes: results/grid.csv and results/config.yaml (the resolved config), results/tables. After a run in
which some jobs failed, the tables are made of what is there.
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
        "python -m xstilts.grid --config {params.config:q} --resolved {output.resolved}"
        " --out {output.grid} --log {log}"


rule tables:
    input:
        grid="results/grid.csv",
        scores=all_scores,
    output:
        report(
            "results/tables/main.csv",
            caption="../captions/main.rst",
            category="Tables",
            labels={"what": "main table"},
        ),
        "results/tables/main.md",
        report(
            "results/tables/seeds.csv",
            caption="../captions/seeds.rst",
            category="Tables",
            labels={"what": "by seeds"},
        ),
        report(
            "results/tables/groups.csv",
            caption="../captions/groups.rst",
            category="Tables",
            labels={"what": "XTREME's groups"},
        ),
        report(
            "results/tables/comparison.csv",
            caption="../captions/comparison.rst",
            category="Tables",
            labels={"what": "beside the published figures"},
        ),
        report(
            "results/tables/per_language.csv",
            caption="../captions/per_language.rst",
            category="Tables",
            labels={"what": "by language"},
        ),
        touch(TABLES_COMPLETE),
    log:
        "results/logs/tables.log",
    localrule: True
    conda:
        ENVIRONMENT
    shell:
        "python -m xstilts.tables --grid {input.grid} --out results/tables --log {log}"


PARTIAL_TABLES = (
    f"rm -f {TABLES_COMPLETE}; "
    "test ! -e results/grid.csv || python -m xstilts.tables --grid results/grid.csv"
    " --out results/tables || true"
)
