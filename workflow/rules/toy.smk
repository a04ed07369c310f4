"""The toy world, where it is the source.

Needs: the sizes under `toy:` in the config.
Makes: results/toy/datasets, a mirror of the hub data sets; results/toy/models, an encoder that
stands in for a public checkpoint.
"""


rule toy_world:
    output:
        "results/toy/manifest.json",
    params:
        spec=spec_text({**EXPERIMENT.settings["toy"], "version": GRID.source()}),
    log:
        "results/logs/toy_world.log",
    conda:
        ENVIRONMENT
    shell:
        "python -m xstilts.toy.mirror --spec {params.spec:q} --out results/toy --log {log}"


rule toy_model:
    output:
        f"results/toy/models/{TOY_MODEL}/model.safetensors",
    params:
        spec=spec_text({**EXPERIMENT.settings["toy"], "version": GRID.source()}),
        folder=f"results/toy/models/{TOY_MODEL}",
    log:
        "results/logs/toy_model.log",
    threads: 2
    conda:
        ENVIRONMENT
    shell:
        "python -m xstilts.toy.pretrain --spec {params.spec:q} --out {params.folder} --log {log}"
