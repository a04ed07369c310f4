"""What models say of translated rows, where a filter asks for it: a job a measure, task and language.

Needs: results/synthetic/{stem}.none, the rows before any filter; results/data of the task in English;
models, a training of stage 1, or the translator once more.
Makes: results/measures/similarity/{model}/{stem}/{task}/{lang},
results/measures/consistency/{model}/{intermediate}/{seed}/{stem}/{task}/{lang} and
results/measures/round_trip/{stem}/{task}/{lang}: .parquet (id, value) and its record, .json.
"""

SIMILAR = node("similarity", "model", "stem", "task", "lang")
CONSISTENT = node("consistency", "model", "intermediate", "seed", "stem", "task", "lang")
TRIP = node("round_trip", "stem", "task", "lang")
STEMS = named(sorted({of.stem for of in EXPERIMENT.variants.values() if not of.control}))


rule similarity:
    """how alike rows and their sources are to an encoder"""
    input:
        unpack(inputs(SIMILAR)),
    output:
        values="results/measures/similarity/{model}/{stem}/{task}/{lang}.parquet",
        record="results/measures/similarity/{model}/{stem}/{task}/{lang}.json",
    log:
        "results/logs/similarity/{model}/{stem}/{task}/{lang}.log",
    wildcard_constraints:
        stem=STEMS,
    priority: priority(SIMILAR)
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        budget=4 * BUDGET,
        gpu=gpu_of,
        nodes=1,
        mem_mb=measure_memory,
        runtime=measure_minutes,
        attempt=attempt,
        slurm_extra=sbatch("similarity/{model}/{stem}/{task}/{lang}"),
    params:
        spec=spec(SIMILAR),
        model=read_by(SIMILAR, "model", os.path.dirname),
    shell:
        "python -m xstilts.steps.similarity --spec {params.spec:q} --model {params.model}"
        " --rows {input.rows} --source {input.source} --budget {resources.budget}"
        " --attempt {resources.attempt} --out {output.values} --record {output.record} --log {log}"


rule consistency:
    """how probable the labels of rows are to a model that is trained on the task in English"""
    input:
        unpack(inputs(CONSISTENT)),
    output:
        values="results/measures/consistency/{model}/{intermediate}/{seed}/{stem}/{task}/{lang}.parquet",
        record="results/measures/consistency/{model}/{intermediate}/{seed}/{stem}/{task}/{lang}.json",
    log:
        "results/logs/consistency/{model}/{intermediate}/{seed}/{stem}/{task}/{lang}.log",
    wildcard_constraints:
        stem=STEMS,
    priority: priority(CONSISTENT)
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        budget=4 * BUDGET,
        gpu=gpu_of,
        nodes=1,
        mem_mb=measure_memory,
        runtime=measure_minutes,
        attempt=attempt,
        slurm_extra=sbatch("consistency/{model}/{intermediate}/{seed}/{stem}/{task}/{lang}"),
    params:
        spec=spec(CONSISTENT),
        model=read_by(CONSISTENT, "model", os.path.dirname),
    shell:
        "python -m xstilts.steps.consistency --spec {params.spec:q} --model {params.model}"
        " --rows {input.rows} --encoded {input.encoded} --budget {resources.budget}"
        " --attempt {resources.attempt} --out {output.values} --record {output.record} --log {log}"


rule round_trip:
    """how near rows are to their sources when they are translated back"""
    input:
        unpack(inputs(TRIP)),
    output:
        values="results/measures/round_trip/{stem}/{task}/{lang}.parquet",
        record="results/measures/round_trip/{stem}/{task}/{lang}.json",
    log:
        "results/logs/round_trip/{stem}/{task}/{lang}.log",
    wildcard_constraints:
        stem=STEMS,
    priority: priority(TRIP)
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        gpu=translation_gpus,
        nodes=1,
        mem_mb=translation_memory,
        runtime=translation_minutes,
        timeout=translation_timeout,
        attempt=attempt,
        slurm_extra=sbatch("round_trip/{stem}/{task}/{lang}"),
    params:
        spec=spec(TRIP),
        state=lambda w: TRIP(w).state,
        device=lambda w: "gpu" if translation_gpus(w) else "cpu",
        model=read_by(TRIP, "translator", lambda path: f"--model {os.path.dirname(path)}"),
    shell:
        "python -m xstilts.steps.round_trip --spec {params.spec:q} --rows {input.rows}"
        " --source {input.source} {params.model} --device {params.device}"
        " --timeout {resources.timeout} --attempt {resources.attempt} --state {params.state}"
        " --out {output.values} --record {output.record} --log {log}"
