"""The plan, the result tables and figures of the experiment.

Needs: every score file of the grid; for cost and learning curves also node.json of the trainings.
Makes: in results/experiments/{name}: grid.csv, config.yaml (the resolved config), nodes.json (what it
asks for) and traits.csv (by what can be asked), tables, figures. After a run in which some jobs failed, tables and figures are made of
what is there, without the record that says that they are whole.
"""


rule plan:
    """the grid, and the resolved config"""
    input:
        unpack(product("plan")),
    output:
        grid=f"{HOME}/grid.csv",
        resolved=f"{HOME}/config.yaml",
        nodes=f"{HOME}/{claims.NODES}",
        traits=f"{HOME}/traits.csv",
        record=made("plan"),
    log:
        f"results/logs/{NAME}/plan.log",
    # First, so that a run that fails early still knows what is missing.
    priority: 100
    localrule: True
    conda:
        ENVIRONMENT
    params:
        **OWN,
        # A function, because what is in braces in a text would be taken for a wildcard.
        config=lambda w: json.dumps(config),
        files=list(map(str, workflow.configfiles)),
    shell:
        "python -m xstilts.steps.plan --config {params.config:q} --name {params.name:q}"
        " --lock={params.lock:q} --files {params.files:q} --resolved {output.resolved} --nodes {output.nodes}"
        " --traits {output.traits} --out {output.grid} --record {output.record} --log {log}"


rule tables:
    """the result tables"""
    input:
        unpack(product("tables")),
    output:
        *map(captioned, products.table_files(GRAPH, HOME)),
        record=made("tables"),
    log:
        f"results/logs/{NAME}/tables.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        **OWN,
    shell:
        "python -m xstilts.steps.tables --grid {params.home}/grid.csv --out {params.home}/tables --lock={params.lock:q}"
        " --record {output.record} --log {log}"


rule figures:
    """the figures"""
    input:
        unpack(product("figures")),
    output:
        *map(captioned, products.figure_files(GRAPH, HOME)),
        record=made("figures"),
    log:
        f"results/logs/{NAME}/figures.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: 4
    params:
        **OWN,
    shell:
        "python -m xstilts.steps.figures --tables {params.home}/tables --out {params.home}/figures"
        " --processes {threads} --record {output.record} --of {input.files} --log {log}"


PARTIAL_TABLES = (
    f"rm -f {made('tables')}; "
    f"test ! -e {HOME}/grid.csv || python -m xstilts.steps.tables --grid {HOME}/grid.csv"
    f" --out {HOME}/tables --lock={LOCK!r} || true;"
    f" test ! -e {HOME}/tables/main.csv || python -m xstilts.steps.figures --tables {HOME}/tables"
    f" --out {HOME}/figures || true"
)
