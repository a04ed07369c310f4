"""Train rows that a decoder writes, in any language.

Needs: results/data of the task in English, which is shown; the hub, a mirror or a folder for the
decoder, or (`source: toy`) neither.
Makes: results/pins/generators; results/generators/{generator}, the decoder's files as they are pinned;
results/generated/{by}/{task}/{lang}.{amount}.parquet and its record, .json: what was answered, and why
not all of it is a row. Of these `filter` makes results/synthetic, as of translations.
"""

PINNED_GENERATOR = node("pin_generator", "generator")
GENERATOR = node("generator", "generator")
GENERATED = node("generate", "by", "task", "lang", "amount")


rule pin_generator:
    """the commit or file hashes of a decoder"""
    input:
        unpack(inputs(PINNED_GENERATOR)),
    output:
        "results/pins/generators/{generator}.json",
    log:
        "results/logs/pin_generator/{generator}.log",
    wildcard_constraints:
        generator=named(EXPERIMENT.settings["generators"]),
    priority: priority(PINNED_GENERATOR)
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **where(PINNED_GENERATOR),
    params:
        spec=spec(PINNED_GENERATOR),
        entry=lambda w: PLANNING.pins.locked.get(
            f"models/{GRID.generator_spec(w.generator)['from']}"
        ),
        name=lambda w: GRID.generator_spec(w.generator)["from"],
        revision=lambda w: GRID.generator_spec(w.generator)["revision"],
    shell:
        "python -m xstilts.steps.pin --spec {params.spec:q} --kind models --name {params.name:q} --revision {params.revision:q}"
        " --source {resources.source:q} --root={resources.root:q} --lock={resources.lock:q}"
        " --out {output} --log {log}"


rule generator:
    """a decoder, as a Hugging Face folder"""
    input:
        unpack(inputs(GENERATOR)),
    output:
        "results/generators/{generator}/node.json",
    log:
        "results/logs/generator/{generator}.log",
    wildcard_constraints:
        generator=named(EXPERIMENT.settings["generators"]),
    priority: priority(GENERATOR)
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **where(GENERATOR),
    params:
        spec=spec(GENERATOR),
        out=folder,
    shell:
        "python -m xstilts.steps.generator --spec {params.spec:q} --source {resources.source:q}"
        " --root={resources.root:q} --pin {input.pin}"
        " --out {params.out} --log {log}"


rule generate:
    """train rows of a task in one language, written by a decoder"""
    input:
        unpack(inputs(GENERATED)),
    output:
        rows="results/generated/{by}/{task}/{lang}.{amount}.parquet",
        record="results/generated/{by}/{task}/{lang}.{amount}.json",
    log:
        "results/logs/generate/{by}/{task}/{lang}.{amount}.log",
    wildcard_constraints:
        by=named(EXPERIMENT.settings["generators"]),
        amount=r"\d+",
    priority: priority(GENERATED)
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        budget=4 * BUDGET,
        gpu=writing_gpu,
        nodes=1,
        mem_mb=writing_memory,
        runtime=writing_minutes,
        attempt=attempt,
        slurm_extra=sbatch("generate/{by}/{task}/{lang}.{amount}"),
    params:
        spec=spec(GENERATED),
        state=lambda w: GENERATED(w).state,
        folder=read_by(GENERATED, "generator", os.path.dirname),
    shell:
        "python -m xstilts.steps.generate --spec {params.spec:q} --rows {input.rows} --name {wildcards.by}"
        " --generator={params.folder} --state {params.state} --budget {resources.budget}"
        " --attempt {resources.attempt} --out {output.rows} --record {output.record} --log {log}"
