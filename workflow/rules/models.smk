"""Public checkpoints: pinned, fetched, reduced to the encoder and its tokenizer.

Needs: the hub, a mirror folder, a folder of the user's, or the toy model.
Makes: results/pins/models; results/models/{model}, an ordinary Hugging Face folder.
"""


rule pin_model:
    """the commit or file hashes of a checkpoint"""
    input:
        unpack(inputs(node("pin_model", "model"))),
    output:
        "results/pins/models/{model}.json",
    log:
        "results/logs/pin_model/{model}.log",
    priority: priority(node("pin_model", "model"))
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **where(node("pin_model", "model")),
    params:
        spec=spec(node("pin_model", "model")),
        entry=lambda w: PLANNING.pins.locked.get(f"models/{GRID.model_spec(w.model)['from']}"),
        name=lambda w: GRID.model_spec(w.model)["from"],
        revision=lambda w: GRID.model_spec(w.model)["revision"],
    shell:
        "python -m xstilts.steps.pin --spec {params.spec:q} --kind models --name {params.name:q} --revision {params.revision:q}"
        " --source {resources.source:q} --root={resources.root:q} --lock={resources.lock:q}"
        " --out {output} --log {log}"


rule model:
    """an encoder and its tokenizer, as a Hugging Face folder"""
    input:
        unpack(inputs(node("model", "model"))),
    output:
        multiext(
            "results/models/{model}/",
            "model.safetensors",
            "config.json",
            "tokenizer.json",
            "node.json",
        ),
    log:
        "results/logs/model/{model}.log",
    priority: priority(node("model", "model"))
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **where(node("model", "model")),
    params:
        spec=spec(node("model", "model")),
        out=folder,
    shell:
        "python -m xstilts.steps.model --spec {params.spec:q} --source {resources.source:q}"
        " --root={resources.root:q} --pin {input.pin}"
        " --out {params.out} --log {log}"
