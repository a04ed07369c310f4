"""The test set: for each target the intermediate task that is best on dev, scored on test, and exported.

Needs: every score file of the grid; tuned checkpoints or encoders of what is chosen.
Makes: in results/experiments/{name}: tables/selection.csv, what was chosen; test/grid.csv, the score
files on test; tables/test; submission/{model}, a folder in the form of XTREME, and beside it what is
wrong with it or missing in it; submission_xtreme_r/{model}, the same for XTREME-R.
"""


def after_selection(rule):
    """The input function of a product of the test set: what was chosen is known once all is scored."""

    def of(wildcards):
        if workflow.is_main_process and not PLANNING.products.current("select"):
            checkpoints.select.get()
            PLANNING.reload()
        return product(rule)(wildcards)

    return of


def exported(benchmark):
    """From wildcards to the predictions of the best cells of a model."""

    def cells(wildcards):
        best = products.submitted(Path(products.test_grid(HOME)), wildcards.model, benchmark)
        return [f"--cell {target}={folder}" for target, folder in best.items()]

    return cells


checkpoint select:
    """the best intermediate of each target by dev"""
    input:
        unpack(product("select")),
    output:
        chosen=f"{HOME}/tables/selection.csv",
        grid=products.test_grid(HOME),
        record=made("select"),
    log:
        f"results/logs/{NAME}/select.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        **OWN,
    shell:
        "python -m xstilts.steps.select --config {params.home}/config.yaml --grid {params.home}/grid.csv"
        " --out {output.chosen} --test-grid {output.grid} --record {output.record} --log {log}"


rule test_tables:
    """the tables of the test split"""
    input:
        unpack(after_selection("test_tables")),
    output:
        f"{HOME}/tables/test/main.csv",
        record=made("test_tables"),
    log:
        f"results/logs/{NAME}/test_tables.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        **OWN,
    shell:
        "python -m xstilts.steps.tables --grid {params.home}/test/grid.csv --out {params.home}/tables/test"
        " --lock={params.lock:q} --record {output.record} --log {log}"


for suite, suite_files in products.submissions(GRAPH).items():

    rule:
        """predictions in the form of a benchmark"""
        name:
            suite.submission
        input:
            unpack(after_selection(f"{suite.submission}/{{model}}")),
        output:
            expand(
                "{home}/{{model}}/{file}",
                home=f"{HOME}/{suite.submission}",
                file=suite_files,
            ),
            faults=f"{HOME}/{suite.submission}/{{model}}.txt",
            record=made(f"{suite.submission}/{{model}}"),
        log:
            f"results/logs/{NAME}/{suite.submission}/{{model}}.log",
        localrule: True
        conda:
            ENVIRONMENT
        params:
            **OWN,
            cells=exported(suite),
            suite=suite.suite,
            folder=suite.submission,
        shell:
            "python -m xstilts.steps.submission --suite {params.suite} --data results/data"
            " --out {params.home}/{params.folder}/{wildcards.model}"
            " {params.cells} --faults {output.faults} --record {output.record} --grid {params.home}/test/grid.csv --log {log}"
