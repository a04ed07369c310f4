"""Evaluation: one job scores one checkpoint on all languages of one target, a file a language.

Needs: results/tuned (results/encoders or results/models for targets without training), results/data,
results/encoded.
Makes: results/scores/{model}/{intermediate}/{seed}/{target}/{lang}.json, and the predictions beside it;
results/test/..., the same of the cells that are scored on test because they are best on dev.
One rule a target, because the outputs of a rule cannot depend on a wildcard.
"""

for step, target, split in EVALUATED:

    rule:
        name:
            f"{step}_{target}"
        input:
            unpack(evaluate_inputs(target, split)),
        output:
            expand(
                "{scores}/{{model}}/{{intermediate}}/{{seed}}/{target}/{lang}.{kind}",
                scores=GRID.scores(split),
                target=target,
                lang=languages(split)[target],
                kind=["json", "parquet"],
            ),
        log:
            f"results/logs/{step}/{{model}}/{{intermediate}}/{{seed}}/{target}.log",
        # Before the next tuning, so that few tuned checkpoints wait at a time.
        priority: 10
        conda:
            ENVIRONMENT
        threads: THREADS
        resources:
            budget=4 * BUDGET,
            gpu=gpu_of,
            nodes=1,
            mem_mb=evaluation_memory(target),
            runtime=evaluation_minutes(target),
            attempt=attempt,
            slurm_extra=sbatch(f"{step}/{{model}}/{{intermediate}}/{{seed}}/{target}"),
        params:
            specs=score_specs(target, split),
            out=folder,
            state=state,
            model=lambda w, input: os.path.dirname(input.model[0]),
            cell=f"{{model}}/{{intermediate}}/{{seed}}/{target}",
        shell:
            "python -m xstilts.steps.evaluate --cell {params.cell} --specs {params.specs:q}"
            " --model {params.model} --rows {input.rows} --encoded {input.encoded}"
            " --dev-rows {input.dev_rows} --dev-encoded {input.dev_encoded}"
            " --state {params.state} --budget {resources.budget}"
            " --attempt {resources.attempt} --out {params.out} --log {log}"
