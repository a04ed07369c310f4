"""What a person looks at: the report, the state of the grid, what a run would take.

Needs: every score file of the grid, the tables and the figures; `status` and `estimate` the config alone, and
what is there.
Makes: results/experiments/{name}/report.html, one page that opens offline. `status` and `estimate` are
asked for by name; they print, and change nothing in the results.
"""


rule report:
    """the report: one page that opens offline"""
    input:
        unpack(product("report")),
    output:
        page=report(
            f"{HOME}/report.html",
            caption="../captions/report.rst",
            category="Overview",
            labels={"what": "the interactive report"},
        ),
        record=made("report"),
    log:
        f"results/logs/{NAME}/report.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        **OWN,
    shell:
        "python -m xstilts.steps.report --grid {params.home}/grid.csv --tables {params.home}/tables"
        " --lock={params.lock:q} --out {output.page} --record {output.record} --log {log}"


rule status:
    """print what is done, what failed and why, what is left"""
    log:
        ".snakemake/xstilts/status.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        **OWN,
        config=lambda w: json.dumps(config),
    shell:
        "python -m xstilts.steps.status --from-rule {params.config:q} --name {params.name:q} --lock={params.lock:q} | tee {log}"


rule estimate:
    """print what is left in jobs, hours and disk"""
    log:
        ".snakemake/xstilts/estimate.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        **OWN,
        config=lambda w: json.dumps(config),
        devices=lambda w: max(1, workflow.cores // THREADS),
    shell:
        "python -m xstilts.steps.estimate {params.config:q} --name {params.name:q} --lock={params.lock:q}"
        " --devices {params.devices} | tee {log}"


PARTIAL_REPORT = (
    f"rm -f {made('report')}; "
    f"test ! -e {HOME}/grid.csv || python -m xstilts.steps.report --grid {HOME}/grid.csv"
    f" $(test -e {HOME}/tables/deltas.csv && echo --tables {HOME}/tables)"
    f" --out {HOME}/report.html --lock={LOCK!r} || true"
)
