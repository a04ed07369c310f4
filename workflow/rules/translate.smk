"""Train rows in other languages, made from those in English.

Needs: results/data of the tasks in English; the hub, a mirror or a folder for the checkpoint of a
translator, or its command.
Makes: results/translated/{by}/{task}/{lang}/{shard}, rows of the same ids in a language, as far as
they could be made; results/synthetic/{variant}/{task}/{lang}.train, those that pass a filter, or what
a control makes of these; and, encoded, results/encoded/{model}/synthetic. A record is beside each, .json.
"""

BACK = node("translate_back", "variant", "task", "lang", "shard")
WORDS = node("lexicon", "by", "task", "lang")
TRANSLATED = node("translate", "by", "task", "lang", "shard")
SYNTHETIC = node("synthetic", "variant", "task", "lang")
ENCODED = node("encode", "model", "task", "lang", "split", "length", "variant")


rule pin_translator:
    """the commit or file hashes of the checkpoint of a translator"""
    input:
        unpack(inputs(node("pin_translator", "by"))),
    output:
        "results/pins/translators/{by}.json",
    log:
        "results/logs/pin_translator/{by}.log",
    wildcard_constraints:
        by=named(EXPERIMENT.settings["translators"]),
    priority: priority(node("pin_translator", "by"))
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **where(node("pin_translator", "by")),
    params:
        spec=spec(node("pin_translator", "by")),
        entry=lambda w: PLANNING.pins.locked.get(f"models/{GRID.translator_spec(w.by)['from']}"),
        name=lambda w: GRID.translator_spec(w.by)["from"],
        revision=lambda w: GRID.translator_spec(w.by)["revision"],
    shell:
        "python -m xstilts.steps.pin --spec {params.spec:q} --kind models --name {params.name:q} --revision {params.revision:q}"
        " --source {resources.source:q} --root={resources.root:q} --lock={resources.lock:q}"
        " --out {output} --log {log}"


rule translator:
    """the checkpoint of a translator, converted for CTranslate2"""
    input:
        unpack(inputs(node("translator", "by"))),
    output:
        multiext("results/translators/{by}/", "model.bin", "node.json"),
    log:
        "results/logs/translator/{by}.log",
    wildcard_constraints:
        by=named(EXPERIMENT.settings["translators"]),
    priority: priority(node("translator", "by"))
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **where(node("translator", "by")),
    params:
        spec=spec(node("translator", "by")),
        out=folder,
    shell:
        "python -m xstilts.steps.translator --spec {params.spec:q} --source {resources.source:q}"
        " --root={resources.root:q} --pin {input.pin} --out {params.out} --log {log}"


rule translate:
    """a shard of the train rows of a task, in another language"""
    input:
        unpack(inputs(TRANSLATED)),
    output:
        rows="results/translated/{by}/{task}/{lang}/{shard}.parquet",
        record="results/translated/{by}/{task}/{lang}/{shard}.json",
    log:
        "results/logs/translate/{by}/{task}/{lang}/{shard}.log",
    wildcard_constraints:
        by=named(EXPERIMENT.settings["translators"]),
        shard=r"\d+",
    priority: priority(TRANSLATED)
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        gpu=translation_gpus,
        nodes=1,
        mem_mb=translation_memory,
        runtime=translation_minutes,
        slurm_extra=sbatch("translate/{by}/{task}/{lang}/{shard}"),
        timeout=translation_timeout,
        attempt=attempt,
    params:
        spec=spec(TRANSLATED),
        state=lambda w: TRANSLATED(w).state,
        device=lambda w: "gpu" if translation_gpus(w) else "cpu",
        model=read_by(TRANSLATED, "translator", lambda path: f"--model {os.path.dirname(path)}"),
        others=[],
        aligner=read_by(TRANSLATED, "aligner", lambda path: f"--aligner {os.path.dirname(path)}"),
    shell:
        "python -m xstilts.steps.translate --spec {params.spec:q} --rows {input.rows} {params.model}"
        " {params.aligner} --others {params.others} --device {params.device} --timeout {resources.timeout} --attempt {resources.attempt}"
        " --state {params.state} --out {output.rows} --record {output.record} --log {log}"


use rule translate as translate_back with:
    input:
        unpack(inputs(BACK)),
    output:
        rows="results/translated/back/{variant}/{task}/{lang}/{shard}.parquet",
        record="results/translated/back/{variant}/{task}/{lang}/{shard}.json",
    log:
        "results/logs/translate/back/{variant}/{task}/{lang}/{shard}.log",
    wildcard_constraints:
        variant=named(EXPERIMENT.variants),
        shard=r"\d+",
    priority: priority(BACK)
    resources:
        gpu=translation_gpus,
        nodes=1,
        mem_mb=translation_memory,
        runtime=translation_minutes,
        slurm_extra=sbatch("translate/back/{variant}/{task}/{lang}/{shard}"),
        timeout=translation_timeout,
        attempt=attempt,
    params:
        spec=spec(BACK),
        state=lambda w: BACK(w).state,
        device=lambda w: "gpu" if translation_gpus(w) else "cpu",
        model=read_by(BACK, "translator", lambda path: f"--model {os.path.dirname(path)}"),
        others=every_read_by(BACK, "others"),
        aligner=read_by(BACK, "aligner", lambda path: f"--aligner {os.path.dirname(path)}"),


rule lexicon:
    """the words of a task, each translated by itself"""
    input:
        unpack(inputs(WORDS)),
    output:
        rows="results/translated/words/{by}/{task}/{lang}.parquet",
        record="results/translated/words/{by}/{task}/{lang}.json",
    log:
        "results/logs/lexicon/{by}/{task}/{lang}.log",
    wildcard_constraints:
        by=named(EXPERIMENT.settings["translators"]),
    priority: priority(WORDS)
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        gpu=translation_gpus,
        nodes=1,
        mem_mb=translation_memory,
        runtime=translation_minutes,
        slurm_extra=sbatch("lexicon/{by}/{task}/{lang}"),
        timeout=translation_timeout,
        attempt=attempt,
    params:
        spec=spec(WORDS),
        state=lambda w: WORDS(w).state,
        device=lambda w: "gpu" if translation_gpus(w) else "cpu",
        model=read_by(WORDS, "translator", lambda path: f"--model {os.path.dirname(path)}"),
    shell:
        "python -m xstilts.steps.lexicon --spec {params.spec:q} --rows {input.rows} {params.model}"
        " --device {params.device} --timeout {resources.timeout} --attempt {resources.attempt}"
        " --state {params.state} --out {output.rows} --record {output.record} --log {log}"


rule filter:
    """the rows of a translation that pass"""
    input:
        unpack(inputs(SYNTHETIC)),
    output:
        rows="results/synthetic/{variant}/{task}/{lang}.train.parquet",
        measures="results/synthetic/{variant}/{task}/{lang}.train.measures.parquet",
        record="results/synthetic/{variant}/{task}/{lang}.train.json",
    log:
        "results/logs/filter/{variant}/{task}/{lang}.log",
    wildcard_constraints:
        variant=named(name for name, of in EXPERIMENT.variants.items() if not of.control),
    priority: priority(SYNTHETIC)
    conda:
        ENVIRONMENT
    resources:
        nodes=1,
        mem_mb=filtering_memory,
        runtime=filtering_minutes,
        attempt=attempt,
        slurm_extra=sbatch("filter/{variant}/{task}/{lang}"),
    params:
        spec=spec(SYNTHETIC),
        name=lambda w: EXPERIMENT.variants[w.variant].filter,
        measured=lambda w: [
            f"{path.split('/')[2]}={path}" for path in SYNTHETIC(w).inputs.get("measured", ())
        ],
    shell:
        "python -m xstilts.steps.filter --spec {params.spec:q} --filter {params.name} --rows {input.rows}"
        " --parts {input.parts} --measured {params.measured}"
        " --attempt {resources.attempt} --out {output.rows} --measures {output.measures} --record {output.record} --log {log}"


rule control:
    """what is compared to translated rows: the same rows otherwise"""
    input:
        unpack(inputs(SYNTHETIC)),
    output:
        rows="results/synthetic/{variant}/{task}/{lang}.train.parquet",
        record="results/synthetic/{variant}/{task}/{lang}.train.json",
    log:
        "results/logs/control/{variant}/{task}/{lang}.log",
    wildcard_constraints:
        variant=named(name for name, of in EXPERIMENT.variants.items() if of.control),
    priority: priority(SYNTHETIC)
    conda:
        ENVIRONMENT
    resources:
        nodes=1,
        mem_mb=filtering_memory,
        runtime=filtering_minutes,
        attempt=attempt,
        slurm_extra=sbatch("control/{variant}/{task}/{lang}"),
    params:
        spec=spec(SYNTHETIC),
    shell:
        "python -m xstilts.steps.control --spec {params.spec:q} --rows {input.rows} --passed {input.passed}"
        " --made {input.made} --attempt {resources.attempt} --out {output.rows} --record {output.record} --log {log}"


use rule encode as encode_synthetic with:
    input:
        unpack(inputs(ENCODED)),
    output:
        "results/encoded/{model}/synthetic/{variant}/{task}/{lang}.{split}.{length}.safetensors",
    log:
        "results/logs/encode/{model}/synthetic/{variant}/{task}/{lang}.{split}.{length}.log",
    wildcard_constraints:
        variant=named(EXPERIMENT.variants),
    priority: priority(ENCODED)
    params:
        spec=spec(ENCODED),
        labels_of=read_by(ENCODED, "labels_of"),
