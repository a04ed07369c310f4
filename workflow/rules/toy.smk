"""The toy world, where it is the source.

Needs: the sizes under `toy:` in the config, and the names of the data sets that the experiment uses.
Makes: results/toy/datasets, a mirror of the hub data sets; results/toy/models, an encoder that
stands in for a public checkpoint.
"""


rule toy_world:
    output:
        "results/toy/manifest.json",
    log:
        "results/logs/toy_world.log",
    conda:
        ENVIRONMENT
    params:
        spec=spec_text(EXPERIMENT.settings["toy"]),
        repositories=used()[1],
        version=GRID.source(),
    shell:
        "python -m xstilts.toy.mirror --spec {params.spec:q} --out results/toy"
        " --repositories {params.repositories:q} --log {log}"


rule toy_model:
    output:
        f"results/toy/models/{TOY_MODEL}/model.safetensors",
    log:
        "results/logs/toy_model.log",
    conda:
        ENVIRONMENT
    threads: 2
    params:
        spec=spec_text(EXPERIMENT.settings["toy"]),
        version=GRID.source(),
        out=folder,
    shell:
        "python -m xstilts.toy.pretrain --spec {params.spec:q} --out {params.out} --log {log}"
