"""Evaluation: one job scores one checkpoint on all languages of one target, a file a language.

Needs: results/tuned (results/encoders or results/models for targets without training), and
results/manifests, which list results/data and results/encoded.
Makes: results/scores/{model}/{intermediate}/{seed}/{target}: {lang}.json, and the predictions beside it;
cell.json, which says that all are there. It alone is declared, so a new language leaves the others;
results/test/..., the same of the cells that are scored on test because they are best on dev.
One rule a target, so that a profile can ask for more memory or time for one of them.
"""

# What is scored: every cell on one split, and what is best there on another.
SPLIT = EXPERIMENT.settings["split"]
EVALUATED = [("evaluate", target, SPLIT) for target in EXPERIMENT.settings["targets"]] + [
    ("test", target, "test")
    for target in EXPERIMENT.test_languages
    if GRID.test_split(target) == "test"
]


def cell(target, split):
    """From wildcards to the node of a cell."""
    return lambda w: GRAPH.evaluate(Cell(w.model, w.intermediate, w.seed, target), split)


def score_specs(target, split):
    """Language -> spec of its score, as JSON."""
    return lambda w: spec_text(
        GRID.score_specs(Cell(w.model, w.intermediate, w.seed, target), split)
    )


def leaks(target, split):
    """The records of overlaps that a cell reads, each with the intermediate that would leak."""
    read = every_read_by(cell(target, split), "overlap")

    def of(w):
        checked = GRID.checked(Cell(w.model, w.intermediate, w.seed, target))
        return [f"{path}={checked[Path(path).stem]}" for path in read(w)]

    return of


for step, target, split in EVALUATED:

    rule:
        """stage 3: scores and predictions of one checkpoint in all languages of this target"""
        name:
            f"{step}_{target}"
        input:
            unpack(inputs(cell(target, split))),
        output:
            f"{GRID.scores(split)}/{{model}}/{{intermediate}}/{{seed}}/{target}/cell.json",
        log:
            f"results/logs/{step}/{{model}}/{{intermediate}}/{{seed}}/{target}.log",
        priority: priority(cell(target, split))
        conda:
            ENVIRONMENT
        threads: THREADS
        resources:
            budget=4 * BUDGET,
            gpu=gpu_of,
            nodes=1,
            mem_mb=evaluation_memory(target, split),
            runtime=evaluation_minutes(target, split),
            attempt=attempt,
            trackers=TRACKERS,
            slurm_extra=sbatch(f"{step}/{{model}}/{{intermediate}}/{{seed}}/{target}"),
        params:
            specs=score_specs(target, split),
            out=folder,
            state=state,
            model=read_by(cell(target, split), "model", os.path.dirname),
            dev=read_by(cell(target, split), "dev_manifest"),
            features=read_by(cell(target, split), "features"),
            overlap=leaks(target, split),
            cell=f"{{model}}/{{intermediate}}/{{seed}}/{target}",
        shell:
            "python -m xstilts.steps.evaluate --cell {params.cell} --specs {params.specs:q}"
            " --model {params.model} --manifest {input.manifest} --dev-manifest={params.dev}"
            " --features={params.features} --overlap {params.overlap}"
            " --state {params.state} --budget {resources.budget}"
            " --trackers {resources.trackers} --attempt {resources.attempt} --out {params.out} --log {log}"
