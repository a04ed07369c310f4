"""Data sets: pinned, fetched, brought into unified rows, encoded.

Needs: the hub, a mirror folder or the toy world. Only `pin_data` and `prepare` meet them, on the
login node.
Makes: results/pins/datasets, results/data (rows of one language and split), results/encoded (the
same for one tokenizer and length limit), results/manifests (all languages in which a target is
scored, one file in place of two a language).
"""


rule pin_data:
    """the commit or file hashes of a data set"""
    input:
        unpack(inputs(node("pin_data", "hub"))),
    output:
        "results/pins/datasets/{hub}.json",
    log:
        "results/logs/pin_data/{hub}.log",
    priority: priority(node("pin_data", "hub"))
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **where(node("pin_data", "hub")),
        tasks=lambda w: ", ".join(GRID.tasks_of(w.hub)),
    params:
        spec=spec(node("pin_data", "hub")),
        # What the lock file says: another entry, another pin.
        entry=lambda w: PLANNING.pins.locked.get(f"datasets/{w.hub}"),
        revision=lambda w: GRID.revision(w.hub),
    shell:
        "python -m xstilts.steps.pin --spec {params.spec:q} --kind datasets --name {wildcards.hub:q} --revision {params.revision:q}"
        " --tasks={resources.tasks:q}"
        " --source {resources.source:q} --root={resources.root:q} --files={resources.files:q} --lock={resources.lock:q}"
        " --out {output} --log {log}"


rule prepare:
    """unified rows of one task, language and split"""
    input:
        unpack(inputs(node("prepare", "task", "lang", "split"))),
    output:
        "results/data/{task}/{lang}.{split}.parquet",
    log:
        "results/logs/prepare/{task}/{lang}.{split}.log",
    priority: priority(node("prepare", "task", "lang", "split"))
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **where(node("prepare", "task", "lang", "split")),
    params:
        spec=spec(node("prepare", "task", "lang", "split")),
        no_answer=lambda w: "--no-answer" if GRID.tasks[w.task].no_answer else "",
        images=read_by(
            node("prepare", "task", "lang", "split"), "images", lambda path: f"--images {path}"
        ),
    shell:
        "python -m xstilts.steps.prepare --spec {params.spec:q} --source {resources.source:q}"
        " --root={resources.root:q} --files={resources.files:q} --pin {input.pin} {params.no_answer} {params.images}"
        " --out {output} --log {log}"


rule encode:
    """token ids of one file of rows"""
    input:
        unpack(inputs(node("encode", "model", "task", "lang", "split", "length"))),
    output:
        "results/encoded/{model}/{task}/{lang}.{split}.{length}.safetensors",
    log:
        "results/logs/encode/{model}/{task}/{lang}.{split}.{length}.log",
    priority: priority(node("encode", "model", "task", "lang", "split", "length"))
    localrule: True
    conda:
        ENVIRONMENT
    params:
        spec=spec(node("encode", "model", "task", "lang", "split", "length")),
        labels_of=read_by(node("encode", "model", "task", "lang", "split", "length"), "labels_of"),
        images=read_by(
            node("encode", "model", "task", "lang", "split", "length"),
            "images",
            lambda path: f"--images {path}",
        ),
    shell:
        "python -m xstilts.steps.encode --spec {params.spec:q} --rows {input.rows}"
        " --labels-of={params.labels_of} {params.images} --tokenizer {input.tokenizer} --model {input.model} --out {output} --log {log}"


rule manifest:
    """the list of a target's rows in all languages"""
    input:
        unpack(inputs(node("manifest", "model", "task", "split"))),
    output:
        "results/manifests/{model}/{task}/{split}.{length}.json",
    log:
        "results/logs/manifest/{model}/{task}/{split}.{length}.log",
    priority: priority(node("manifest", "model", "task", "split"))
    localrule: True
    conda:
        ENVIRONMENT
    params:
        spec=spec(node("manifest", "model", "task", "split")),
    shell:
        "python -m xstilts.steps.manifest --spec {params.spec:q} --out {output} --log {log}"
