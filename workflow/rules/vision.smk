"""Pictures: vision encoders, pinned, fetched, reduced to the vision tower; what they make of pictures.

Needs: the hub, a mirror folder, a folder of the user's, or the toy world's encoder; results/data of the
sets of pictures. Pictures are read where `prepare` has brought them, without a network.
Makes: results/pins/vision; results/vision/{vision}, a Hugging Face folder with an image processor;
results/features/{vision}/{images}/{split}.safetensors and its record, .json, for the trainings that see
the pictures of a set.
"""

SEEN = node("features", "vision", "images", "split")


rule pin_vision:
    """the commit or file hashes of a vision encoder"""
    input:
        unpack(inputs(node("pin_vision", "vision"))),
    output:
        "results/pins/vision/{vision}.json",
    log:
        "results/logs/pin_vision/{vision}.log",
    priority: priority(node("pin_vision", "vision"))
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **where(node("pin_vision", "vision")),
    params:
        spec=spec(node("pin_vision", "vision")),
        entry=lambda w: PLANNING.pins.locked.get(f"models/{GRID.vision_spec(w.vision)['from']}"),
        name=lambda w: GRID.vision_spec(w.vision)["from"],
        revision=lambda w: GRID.vision_spec(w.vision)["revision"],
    shell:
        "python -m xstilts.steps.pin --spec {params.spec:q} --kind models --name {params.name:q} --revision {params.revision:q}"
        " --source {resources.source:q} --root={resources.root:q} --lock={resources.lock:q}"
        " --out {output} --log {log}"


rule vision:
    """a frozen vision encoder and its image processor, as a Hugging Face folder"""
    input:
        unpack(inputs(node("vision", "vision"))),
    output:
        multiext("results/vision/{vision}/", *VISION),
    log:
        "results/logs/vision/{vision}.log",
    priority: priority(node("vision", "vision"))
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **where(node("vision", "vision")),
    params:
        spec=spec(node("vision", "vision")),
        positions=lambda w: EXPERIMENT.settings["vision"][w.vision]["positions"],
        out=folder,
    shell:
        "python -m xstilts.steps.vision --spec {params.spec:q} --name {wildcards.vision} --positions {params.positions}"
        " --source {resources.source:q} --root={resources.root:q} --pin {input.pin} --out {params.out} --log {log}"


rule features:
    """what a vision encoder makes of the pictures of a set"""
    input:
        unpack(inputs(SEEN)),
    output:
        features="results/features/{vision}/{images}/{split}.safetensors",
        record="results/features/{vision}/{images}/{split}.json",
    log:
        "results/logs/features/{vision}/{images}/{split}.log",
    priority: priority(SEEN)
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        **where(SEEN),
        gpu=gpu_of_vision,
        nodes=1,
        mem_mb=features_memory,
        runtime=features_minutes,
        attempt=attempt,
        slurm_extra=sbatch("features/{vision}/{images}/{split}"),
    params:
        spec=spec(SEEN),
        node=read_by(SEEN, "vision", lambda path: f"--node {os.path.dirname(path)}/node.json"),
        state=lambda w: SEEN(w).state,
        name="{vision}/{images}/{split}",
    shell:
        "python -m xstilts.steps.features --spec {params.spec:q} --name {params.name} --rows {input.rows}"
        " {params.node} --source {resources.source:q} --root={resources.root:q} --files={resources.files:q} --pin {input.pin}"
        " --state {params.state} --threads {threads} --attempt {resources.attempt}"
        " --out {output.features} --record {output.record} --log {log}"
