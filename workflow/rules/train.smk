"""Training: stage 1 on the intermediate task or tasks, stage 2 on the English data of the targets.

Needs: results/models, results/encoded; of an intermediate that follows on another, that one's encoder.
Makes: results/encoders/{model}/{intermediate}/{seed}, results/tuned/{model}/{intermediate}/{seed}/
{train task}. A tuned model is keyed by what it was trained on, so targets that train on the same data
share it; a row without intermediate task has no encoder of its own.
"""

TRAIN = (
    "{resources.launch} -m xstilts.steps.train --spec {params.spec:q} --init {params.init} --train {input.train}"
    " --dev {input.dev} --dev-rows {input.dev_rows} --budget {resources.budget}"
    " --state {params.state} {params.search}"
    " --save-every {resources.save_every} --sharding {resources.sharding} --compiled {resources.compiled} --trackers {resources.trackers}"
    " --attempt {resources.attempt} --out {params.out} --log {log}"
)

# Tuned weights are dropped after their evaluations, unless the config keeps them or the test set is
# still to be scored with them; `node.json` stays. Kept, they are one `multiext`, as Snakemake's
# between-workflow cache wants it.
FOLDER = "results/tuned/{model}/{intermediate}/{seed}/{task}/"
FILES = ("model.safetensors", "head.safetensors", "config.json", "tokenizer.json")
KEEP = EXPERIMENT.settings["keep_tuned"] or EXPERIMENT.settings["test"]
TUNED = (
    multiext(FOLDER, *FILES, "node.json")
    if KEEP
    else [*temp(multiext(FOLDER, *FILES)), f"{FOLDER}node.json"]
)


rule intermediate:
    """stage 1: the encoder, fine-tuned on an intermediate task"""
    input:
        unpack(inputs(node("intermediate", "model", "intermediate", "seed"))),
    output:
        multiext(
            "results/encoders/{model}/{intermediate}/{seed}/",
            "model.safetensors",
            "head.safetensors",
            "config.json",
            "tokenizer.json",
            "node.json",
        ),
    log:
        "results/logs/intermediate/{model}/{intermediate}/{seed}.log",
    priority: priority(node("intermediate", "model", "intermediate", "seed"))
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        budget=BUDGET,
        gpu=gpus_of,
        nodes=1,
        cpus_per_task=cpus_of,
        mem_mb=memory,
        runtime=training_minutes(stage_1_passes),
        slurm_extra=sbatch("intermediate/{model}/{intermediate}/{seed}"),
        save_every=SAVE_EVERY,
        attempt=attempt,
        # How, not what: resources, so that a change re-runs nothing.
        launch=launch,
        sharding=sharding,
        compiled=COMPILED,
        trackers=TRACKERS,
    params:
        spec=spec(node("intermediate", "model", "intermediate", "seed")),
        init=lambda w: GRID.start(w.model, w.intermediate, w.seed),
        out=folder,
        state=state,
        search=chosen(node("intermediate", "model", "intermediate", "seed")),
    shell:
        TRAIN


rule tune:
    """stage 2: encoder and head, fine-tuned on the data of a target"""
    input:
        unpack(inputs(node("tune", "model", "intermediate", "seed", "task"))),
    output:
        *TUNED,
    log:
        "results/logs/tune/{model}/{intermediate}/{seed}/{task}.log",
    priority: priority(node("tune", "model", "intermediate", "seed", "task"))
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        budget=BUDGET,
        gpu=gpus_of,
        nodes=1,
        cpus_per_task=cpus_of,
        mem_mb=memory,
        runtime=training_minutes(stage_2_passes),
        slurm_extra=sbatch("tune/{model}/{intermediate}/{seed}/{task}"),
        save_every=SAVE_EVERY,
        attempt=attempt,
        # How, not what: resources, so that a change re-runs nothing.
        launch=launch,
        sharding=sharding,
        compiled=COMPILED,
        trackers=TRACKERS,
    params:
        spec=spec(node("tune", "model", "intermediate", "seed", "task")),
        init=lambda w: GRID.encoder(w.model, w.intermediate, w.seed),
        out=folder,
        state=state,
        search=chosen(node("tune", "model", "intermediate", "seed", "task")),
    shell:
        TRAIN
