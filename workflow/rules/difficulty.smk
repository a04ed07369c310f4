"""Difficulty of train rows: trainings that record what a model makes of each row after each epoch.

Needs: results/models, results/encoded, results/data.
Makes: results/difficulty/{model}/{task}/{seed}.parquet and its record, .json; .pvi.parquet and .pvi.json,
of a second training on empty inputs. No weights stay. They are made where a subset asks for them, and
can be asked for by name.
"""


def with_measure(measure):
    """The constraint of a wildcard: the tasks of which there is a measure."""
    formats = MEASURES[measure].formats
    names = [n for n, t in EXPERIMENT.tasks.items() if t.format in formats and "train" in t.splits]
    return "|".join(names) or "(?!)"


def recorded(measure):
    """From wildcards to the node that holds a measure."""
    return lambda w: GRAPH.difficulty(w.model, w.task, w.seed, measure)


def recorded_passes(w):
    """How often the rows are read: of each epoch the pass that is recorded takes a third as long."""
    return 4 / 3 * GRID.recorded(w.model, w.task).recipe.epochs


for rule_name, measure in (("difficulty", "loss"), ("pvi", "pvi")):

    rule:
        """what a model makes of each train row of a task after each epoch; or of its label alone"""
        name:
            rule_name
        input:
            unpack(inputs(recorded(measure))),
        output:
            f"results/difficulty/{{model}}/{{task}}/{{seed}}{MEASURES[measure].file}.parquet",
            f"results/difficulty/{{model}}/{{task}}/{{seed}}{MEASURES[measure].file}.json",
        log:
            f"results/logs/{rule_name}/{{model}}/{{task}}/{{seed}}.log",
        wildcard_constraints:
            task=with_measure(measure),
            seed=r"seed\d+",
        priority: priority(recorded(measure))
        conda:
            ENVIRONMENT
        threads: THREADS
        resources:
            budget=BUDGET,
            gpu=gpus_of,
            nodes=1,
            cpus_per_task=cpus_of,
            mem_mb=memory,
            runtime=training_minutes(recorded_passes),
            slurm_extra=sbatch(f"{rule_name}/{{model}}/{{task}}/{{seed}}"),
            save_every=SAVE_EVERY,
            attempt=attempt,
            launch=launch,
            sharding=sharding,
            checkpointing=checkpointing,
            compiled=COMPILED,
            trackers=TRACKERS,
        params:
            spec=spec(recorded(measure)),
            train_rows=every_read_by(recorded(measure), "train_rows"),
            subset="",  # of all rows
            leaks="",
            features=[],  # and of none with pictures
            init=lambda w: f"results/models/{w.model}",
            out=lambda w, output: os.path.splitext(output[0])[0],
            state=lambda w, output: str(lock.folder_of(os.path.splitext(output[0])[0])),
            search=read_by(recorded(measure), "recorded", lambda path: f"--recorded {path}"),
        shell:
            TRAIN
