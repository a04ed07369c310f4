"""Data sets: pinned, fetched, brought into unified rows, encoded.

Needs: the hub, a mirror folder or the toy world. Only `pin_data` and `prepare` meet them, on the
login node.
Makes: results/pins/datasets, results/data (rows of one language and split), results/encoded (the
same for one tokenizer and length limit).
"""


rule pin_data:
    input:
        toy_world,
    output:
        "results/pins/datasets/{hub}.json",
    log:
        "results/logs/pin_data/{hub}.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **WHERE,
        tasks=tasks_of,
    params:
        revision=lambda w: GRID.revision(w.hub),
    shell:
        "python -m xstilts.steps.pin --kind datasets --name {wildcards.hub:q} --revision {params.revision:q}"
        " --tasks={resources.tasks:q}"
        " --source {resources.source:q} --root={resources.root:q} --lock={resources.lock:q}"
        " --out {output} --log {log}"


rule prepare:
    input:
        pin=lambda w: f"results/pins/datasets/{EXPERIMENT.tasks[w.task].hub}.json",
    output:
        "results/data/{task}/{lang}.{split}.parquet",
    log:
        "results/logs/prepare/{task}/{lang}.{split}.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **WHERE,
    params:
        spec=lambda w: spec_text(GRID.data_spec(w.task, w.lang, w.split)),
    shell:
        "python -m xstilts.steps.prepare --spec {params.spec:q} --source {resources.source:q}"
        " --root={resources.root:q} --pin {input.pin}"
        " --out {output} --log {log}"


rule encode:
    input:
        rows="results/data/{task}/{lang}.{split}.parquet",
        tokenizer="results/models/{model}/tokenizer.json",
        labels_of=lambda w: (
            rows(w.task, "en", "train") if EXPERIMENT.tasks[w.task].open_labels else []
        ),
    output:
        "results/encoded/{model}/{task}/{lang}.{split}.{length}.safetensors",
    log:
        "results/logs/encode/{model}/{task}/{lang}.{split}.{length}.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        spec=lambda w: spec_text(GRID.encoded_spec(w.task, w.lang, w.split, int(w.length))),
    shell:
        "python -m xstilts.steps.encode --spec {params.spec:q} --rows {input.rows}"
        " --labels-of={input.labels_of} --tokenizer {input.tokenizer} --out {output} --log {log}"
