"""Training: stage 1 on the intermediate task or tasks, stage 2 on the English data of the targets.

Needs: results/models, results/encoded; of tasks with pictures results/features; of an intermediate that follows on another, that one's encoder.
Makes: results/encoders/{model}/{intermediate}/{seed}, results/tuned/{model}/{intermediate}/{seed}/
{train task}. A tuned model is keyed by what it was trained on, so targets that train on the same data
share it; a row without intermediate task has no encoder of its own.
"""

TRAIN = (
    "{resources.launch} -m xstilts.steps.train --spec {params.spec:q} --init {params.init} --train {input.train}"
    " --dev {input.dev} --dev-rows {input.dev_rows} --budget {resources.budget}"
    " --state {params.state} {params.search}"
    " --save-every {resources.save_every} --sharding {resources.sharding} --checkpointing {resources.checkpointing} --compiled {resources.compiled} --trackers {resources.trackers}"
    " --attempt {resources.attempt} --out {params.out} --log {log}"
    " --train-rows {params.train_rows} {params.subset} --features {params.features} {params.leaks}"
)


def leaks(w):
    """The records of overlaps that a training reads, each with the intermediate that would leak and
    the targets."""
    found = GRID.leaking(w.model, w.intermediate, w.seed, w.get("task", ""))
    records = [
        f"results/overlap/{task}.json={name}={','.join(targets)}"
        for task, (name, targets) in found.items()
    ]
    return f"--leaks {' '.join(records)}" if records else ""


# Tuned weights are dropped after their evaluations, unless the config keeps them or the test set is
# still to be scored with them; `node.json` stays. Kept, they are one `multiext`, as Snakemake's
# between-workflow cache wants it.
FOLDER = "results/tuned/{model}/{intermediate}/{seed}/{task}/"
KEEP = EXPERIMENT.settings["keep_tuned"] or EXPERIMENT.settings["test"]


def tuned(files):
    """The outputs of stage 2."""
    kept = multiext(FOLDER, *files, "node.json")
    return kept if KEEP else [*temp(multiext(FOLDER, *files)), f"{FOLDER}node.json"]


# Adapters have files of their own, so their models have rules of their own: `intermediate_adapter` and
# `tune_adapter`.
ADAPTERS = [model for model in EXPERIMENT.settings["models"] if GRID.adapter(model) is not None]
PLAIN = [model for model in EXPERIMENT.settings["models"] if model not in ADAPTERS]
KINDS = [
    (suffix, models, (names[0], HEAD, *names[1:-1]))
    for suffix, models, names in (("", PLAIN, CHECKPOINT), ("_adapter", ADAPTERS, ADAPTER))
    if models
]

# A trial of a search (search.smk) is a training of which the record alone is an output.
MADE_1 = node("intermediate", "model", "intermediate", "seed")
TRIED_1 = node("trial", "model", "intermediate", "seed", "trial")
STAGE_1 = [
    (
        f"intermediate{suffix}",
        multiext("results/encoders/{model}/{intermediate}/{seed}/", *files, "node.json"),
        "intermediate/{model}/{intermediate}/{seed}",
        models,
        MADE_1,
        chosen(MADE_1),
    )
    for suffix, models, files in KINDS
]
MADE_2 = node("tune", "model", "intermediate", "seed", "task")
TRIED_2 = node("trial", "model", "intermediate", "seed", "trial", "task")
STAGE_2 = [
    (
        f"tune{suffix}",
        tuned(files),
        "tune/{model}/{intermediate}/{seed}/{task}",
        models,
        MADE_2,
        chosen(MADE_2),
    )
    for suffix, models, files in KINDS
]
if GRID.searches.all:
    STAGE_1.append(
        (
            "trial_intermediate",
            ["results/trials/{model}/{intermediate}/{seed}/{trial}/node.json"],
            "trial_intermediate/{model}/{intermediate}/{seed}/{trial}",
            ADAPTERS + PLAIN,
            TRIED_1,
            "--trial yes",
        )
    )
    STAGE_2.append(
        (
            "trial_tune",
            ["results/trials/{model}/{intermediate}/{seed}/{task}/{trial}/node.json"],
            "trial_tune/{model}/{intermediate}/{seed}/{task}/{trial}",
            ADAPTERS + PLAIN,
            TRIED_2,
            "--trial yes",
        )
    )

for rule_name, outputs, path, models, made_of, searched in STAGE_1:

    rule:
        """stage 1: the encoder, fine-tuned on an intermediate task"""
        name:
            rule_name
        input:
            unpack(inputs(made_of)),
        output:
            *outputs,
        log:
            f"results/logs/{path}.log",
        wildcard_constraints:
            model="|".join(models),
            trial="[^/]+",
        priority: priority(made_of)
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
            slurm_extra=sbatch(path),
            save_every=SAVE_EVERY,
            attempt=attempt,
            # How, not what: resources, so that a change re-runs nothing.
            launch=launch,
            sharding=sharding,
            checkpointing=checkpointing,
            compiled=COMPILED,
            trackers=TRACKERS,
        params:
            spec=spec(made_of),
            train_rows=every_read_by(made_of, "train_rows"),
            subset=read_by(made_of, "subset", lambda path: f"--subset {path}"),
            features=every_read_by(made_of, "features"),
            init=lambda w: GRID.start(w.model, w.intermediate, w.seed),
            out=folder,
            state=state,
            search=searched,
            leaks=leaks,
        shell:
            TRAIN


for rule_name, outputs, path, models, made_of, searched in STAGE_2:

    rule:
        """stage 2: encoder and head, fine-tuned on the data of a target"""
        name:
            rule_name
        input:
            unpack(inputs(made_of)),
        output:
            *outputs,
        log:
            f"results/logs/{path}.log",
        wildcard_constraints:
            model="|".join(models),
            trial="[^/]+",
        priority: priority(made_of)
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
            slurm_extra=sbatch(path),
            save_every=SAVE_EVERY,
            attempt=attempt,
            # How, not what: resources, so that a change re-runs nothing.
            launch=launch,
            sharding=sharding,
            checkpointing=checkpointing,
            compiled=COMPILED,
            trackers=TRACKERS,
        params:
            spec=spec(made_of),
            train_rows=[],  # dealt, and picked, in stage 1 alone
            subset="",
            features=every_read_by(made_of, "features"),
            init=lambda w: GRID.tuned_from(w.model, w.intermediate, w.seed, w.task),
            out=folder,
            state=state,
            search=searched,
            leaks=leaks,
        shell:
            TRAIN
