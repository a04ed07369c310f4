"""The toy world, where it is the source.

Needs: the sizes under `toy:` in the config.
Makes: results/toy/datasets, a mirror of the hub data sets that the experiment uses (a job each, so
that one more leaves the others as they are); results/toy/models, an encoder that stands in for a
public checkpoint, tiny untrained ones for those of other architectures than XLM-R's, and a vision
encoder, untrained too. A manifest beside each says by which spec it is made.
"""


rule toy_world:
    """one data set of the toy world"""
    input:
        unpack(inputs(node("toy_world", "hub"))),
    output:
        "results/toy/manifests/{hub}.json",
    log:
        "results/logs/toy_world/{hub}.log",
    priority: priority(node("toy_world", "hub"))
    localrule: True
    conda:
        ENVIRONMENT
    params:
        spec=spec(node("toy_world", "hub")),
    shell:
        "python -m xstilts.steps.toy_world --spec {params.spec:q} --out results/toy"
        " --repository {wildcards.hub:q} --log {log}"


rule toy_model:
    """the encoder of the toy world, pre-trained"""
    input:
        unpack(inputs(node("toy_model"))),
    output:
        f"results/toy/models/{TOY_MODEL}/model.safetensors",
        f"results/toy/models/{TOY_MODEL}.json",
    log:
        "results/logs/toy_model.log",
    priority: priority(node("toy_model"))
    localrule: True
    conda:
        ENVIRONMENT
    threads: 2
    params:
        spec=spec(node("toy_model")),
        out=folder,
    shell:
        "python -m xstilts.steps.toy_model --spec {params.spec:q} --out {params.out} --log {log}"


rule toy_backbone:
    """a tiny untrained checkpoint of an architecture"""
    input:
        unpack(inputs(node("toy_backbone", "architecture"))),
    output:
        "results/toy/models/toy/{architecture}/model.safetensors",
        "results/toy/models/toy/{architecture}.json",
    log:
        "results/logs/toy_backbone/{architecture}.log",
    wildcard_constraints:
        architecture="|".join(BACKBONES),
    priority: priority(node("toy_backbone", "architecture"))
    localrule: True
    conda:
        ENVIRONMENT
    params:
        spec=spec(node("toy_backbone", "architecture")),
        out=folder,
    shell:
        "python -m xstilts.steps.toy_backbone --spec {params.spec:q} --out {params.out} --log {log}"


rule toy_vision:
    """the vision encoder of the toy world, random and frozen"""
    input:
        unpack(inputs(node("toy_vision"))),
    output:
        f"results/toy/models/{TOY_VISION}/model.safetensors",
        f"results/toy/models/{TOY_VISION}.json",
    log:
        "results/logs/toy_vision.log",
    priority: priority(node("toy_vision"))
    localrule: True
    conda:
        ENVIRONMENT
    params:
        spec=spec(node("toy_vision")),
        out=folder,
    shell:
        "python -m xstilts.steps.toy_vision --spec {params.spec:q} --out {params.out} --log {log}"
