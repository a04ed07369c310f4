"""The test set: for each target the intermediate task that is best on dev, scored on test, and exported.

Needs: every score file of the grid; tuned checkpoints or encoders of what is chosen.
Makes: results/tables/selection.csv, what was chosen; results/test/grid.csv, the score files on test;
results/tables/test; results/submission/{model}, a folder in the form of XTREME, and beside it what is
wrong with it or missing in it.
"""


checkpoint select:
    input:
        grid="results/grid.csv",
        scores=all_scores,
    output:
        chosen="results/tables/selection.csv",
        grid="results/test/grid.csv",
    log:
        "results/logs/select.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        config=lambda w: json.dumps(config),
        version=1,
    shell:
        "python -m xstilts.steps.select --config {params.config:q} --grid {input.grid}"
        " --out {output.chosen} --test-grid {output.grid} --log {log}"


rule test_tables:
    input:
        grid="results/test/grid.csv",
        scores=test_scores,
    output:
        "results/tables/test/main.csv",
    log:
        "results/logs/test_tables.log",
    localrule: True
    conda:
        ENVIRONMENT
    shell:
        "python -m xstilts.steps.tables --grid {input.grid} --out results/tables/test --log {log}"


rule submission:
    input:
        submission_inputs,
    output:
        expand("results/submission/{{model}}/{file}", file=submission_files()),
        faults="results/submission/{model}.txt",
    log:
        "results/logs/submission/{model}.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        cells=lambda w: [f"--cell {key}={folder}" for key, folder in submitted(w).items()],
    shell:
        "python -m xstilts.steps.submission --data results/data --out results/submission/{wildcards.model}"
        " {params.cells} --faults {output.faults} --log {log}"
