"""What jobs ask for: GPUs, processors, memory, time, and how a training is launched. No rule is here."""

from xstilts.models import gpu_memory
from xstilts.monitoring.estimate import workload
from xstilts.monitoring.estimate.data_sizes import DataSizes
from xstilts.running import resources, weights


def launch(wildcards):
    """What runs a training: Python, or torchrun where several GPUs share one."""
    gpus = gpus_of(wildcards)
    signals = "--signals-to-handle SIGTERM,SIGINT,SIGUSR1 --shutdown-timeout 300"
    several = f"python -m xstilts.steps.claim_gpus {gpus} torchrun --standalone --nproc-per-node {gpus} {signals}"
    return several if gpus > 1 else "python"


def sharding(wildcards):
    return EXPERIMENT.settings["models"][wildcards.model]["sharding"]


def checkpointing(wildcards):
    mode = EXPERIMENT.settings["models"][wildcards.model]["checkpointing"]
    return {True: "yes", False: "no"}.get(mode, mode)


def gpus_of(wildcards):
    """The number of GPUs of a training of a model."""
    return EXPERIMENT.settings["models"][wildcards.model]["gpus"]


def cpus_of(wildcards):
    """The threads of all processes of a training."""
    return THREADS * max(1, gpus_of(wildcards))


def gpu_of(wildcards):
    """The number of GPUs of an evaluation: one process scores all languages."""
    return min(1, gpus_of(wildcards))


def memory(wildcards, input, attempt):
    """The host memory of a training, in MB; its first input is the model, whole."""
    sizes = weights.loaded(input[0]), resources.bytes_of(input)
    adapter = EXPERIMENT.settings["models"][wildcards.model].get("adapter")
    return resources.memory(
        *sizes,
        gpus_of(wildcards),
        attempt,
        trained=1.0 if adapter is None else gpu_memory.adapter_share(input[0], adapter["rank"]),
        sharded=sharding(wildcards) == "fsdp",
    )


def scored(target, split, wildcards, input):
    """The bytes of the encoded rows that an evaluation reads, of those whose nearest it searches for,
    and of a pool among which it does; FileNotFoundError until they are there."""
    splits = [split, "dev"] if GRID.needs_dev(target, split) else [split]
    manifests = [GRAPH.manifest(wildcards.model, target, each) for each in splits]
    try:
        data = [resources.bytes_of(manifest.inputs["encoded"]) for manifest in manifests]
        # The pool is the last.
        pooled = manifests[0].inputs["encoded"][-1:] if EXPERIMENT.tasks[target].pool else []
        pool = resources.bytes_of(pooled)
    except FileNotFoundError as error:  # of an input, so that Snakemake asks again later
        raise FileNotFoundError(error.errno, error.strerror, str(input.manifest)) from error
    retrieved = EXPERIMENT.tasks[target].format == "retrieval"
    return data[0], sum(data) - pool if retrieved else 0, pool


def evaluation_memory(target, split):
    """The same of an evaluation."""

    def megabytes(wildcards, input, attempt):
        data, search, _ = scored(target, split, wildcards, input)
        return resources.memory(
            weights.loaded(input[0]), 2 * data, gpu_of(wildcards), attempt, search
        )

    return megabytes


def alignment_memory(wildcards, input, attempt):
    """The host memory of a measurement of alignment: beside the model, the embeddings of two sides."""
    return resources.memory(weights.loaded(input[0]), resources.STATES, gpu_of(wildcards), attempt)


def alignment_minutes(wildcards, input, attempt):
    """The time limit of it, by its sentences."""
    sides = len(input.rows) + 1
    data = resources.PIECE_BYTES * 64 * EXPERIMENT.alignment[wildcards.set].rows * sides
    return resources.evaluation_minutes(weights.loaded(input[0]), data, gpu_of(wildcards), attempt)


def gpu_of_vision(wildcards):
    """The number of GPUs that see pictures."""
    if wildcards.vision == OWN_FEATURES:
        return 0
    return EXPERIMENT.settings["vision"][wildcards.vision]["gpus"]


def features_memory(wildcards, input, attempt):
    """The host memory of what makes features, each process that decodes included."""
    model = 0 if wildcards.vision == OWN_FEATURES else weights.loaded(input.vision[0])
    return resources.features_memory(model, THREADS, attempt)


def features_minutes(wildcards, input, attempt):
    """The time limit of it, by the size of the rows of the set."""
    pictures = resources.bytes_of(input.rows) / resources.ID_BYTES
    model = 0 if wildcards.vision == OWN_FEATURES else weights.loaded(input.vision[0])
    return resources.features_minutes(model, pictures, gpu_of_vision(wildcards), THREADS, attempt)


def translator_of(wildcards):
    """The name of the translator of a job; that of a round trip is its variant's."""
    of_stem = f"{getattr(wildcards, 'stem', '')}.none"
    variant = EXPERIMENT.variants.get(getattr(wildcards, "variant", of_stem))
    return variant.by if variant else wildcards.by


def translation_gpus(wildcards):
    """The GPUs of a shard of a translation."""
    return GRID.translator_gpus(translator_of(wildcards), wildcards.task)


def shards_of(wildcards):
    """In how many jobs the rows are translated: the measure `round_trip` reads all in one."""
    return GRID.shards(translator_of(wildcards)) if "shard" in wildcards.keys() else 1


def translation_memory(wildcards, input, attempt):
    """The host memory of a shard of a translation."""
    model = resources.bytes_of(getattr(input, "translator", ()))
    shards = shards_of(wildcards)
    return resources.translation_memory(model, resources.bytes_of(input.rows), shards, attempt)


def translation_minutes(wildcards, input, attempt):
    """The time limit of it."""
    gpus, shards = translation_gpus(wildcards), shards_of(wildcards)
    return resources.translation_minutes(resources.bytes_of(input.rows), shards, gpus, attempt)


def filtering_memory(wildcards, input, attempt):
    """The host memory of what reads rows one after another, and keeps or changes them."""
    return resources.filtering_memory(resources.bytes_of(input.rows), attempt)


def filtering_minutes(wildcards, input, attempt):
    """The time limit of it; of the rows of all languages a control reads little beside the ids."""
    beside = resources.bytes_of(input.get("passed", ())) // 8
    return resources.filtering_minutes(2 * resources.bytes_of(input.rows) + beside, attempt)


def measure_memory(wildcards, input, attempt):
    """The host memory of what a model says of translated rows."""
    gpus, data = gpu_of(wildcards), 2 * resources.bytes_of(input.rows)
    return resources.memory(weights.loaded(input[0]), data, gpus, attempt)


def measure_minutes(wildcards, input, attempt):
    """The time limit of it."""
    data = resources.PIECE_BYTES * resources.bytes_of(input.rows)
    model = weights.loaded(input[0])
    return resources.evaluation_minutes(model, data, gpu_of(wildcards), attempt)


def attempt(wildcards, attempt):
    """Which of Snakemake's attempts at a job it is."""
    return attempt


def stage_1_passes(wildcards):
    """How often a training of stage 1 reads its rows, when these are there."""
    sizes = DataSizes(Path.cwd(), GRID)
    return workload.passes(wildcards.model, wildcards.intermediate, GRID, sizes)


def stage_2_passes(wildcards):
    """The same of stage 2."""
    return workload.tuned_epochs(wildcards.model, wildcards.intermediate, wildcards.task, GRID)


def training_minutes(epochs):
    """The time limit of a training, in minutes.

    epochs: from wildcards to the epochs of its recipe.
    """

    def minutes(wildcards, input, attempt):
        sizes = weights.loaded(input[0]), resources.bytes_of(input.train)
        return resources.training_minutes(*sizes, epochs(wildcards), gpus_of(wildcards), attempt)

    return minutes


def evaluation_minutes(target, split):
    """The same of an evaluation."""

    def minutes(wildcards, input, attempt):
        data, *search = scored(target, split, wildcards, input)
        model = weights.loaded(input[0])
        return resources.evaluation_minutes(model, data, gpu_of(wildcards), attempt, *search)

    return minutes


def sbatch(name):
    """What sbatch is told besides: the pattern is that of the log, so the comment names it."""
    return lambda wildcards: resources.sbatch(name.format_map(dict(wildcards.items())))


def writing_gpu(wildcards):
    """The number of GPUs of a job of generated rows: none where the grammar writes."""
    entry = EXPERIMENT.settings["generators"][wildcards.by]
    return entry.get("gpus", 1) if GRID.writes(wildcards.by) else 0


def writing_memory(wildcards, input, attempt):
    """The host memory of it: the decoder as it is loaded."""
    gpus = writing_gpu(wildcards)
    return resources.writing_memory(
        weights.decoder(list(input.get("generator", ()))), gpus, attempt
    )


def writing_minutes(wildcards, input, attempt):
    """The time limit of it, by its answers."""
    spec, gpus = GENERATED(wildcards).spec, writing_gpu(wildcards)
    tokens = spec["rows"] * spec["tries"] * spec.get("max_tokens", 0)
    model = weights.decoder(list(input.get("generator", ())))
    return resources.writing_minutes(model, tokens, gpus, attempt)


def translation_timeout(wildcards):
    """The seconds that a block of a translator may take."""
    return EXPERIMENT.settings["translators"][translator_of(wildcards)].get("timeout", 600)
