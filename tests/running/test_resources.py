import shlex

import pytest

from xstilts.running import resources

BASE, LARGE = 1_112_000_000, 2_240_000_000  # XLM-R's checkpoints in fp32
MNLI = 17_300_000 * 4  # bytes of 393,000 pairs


def test_a_larger_model_or_more_rows_ask_for_more():
    assert resources.memory(BASE, MNLI, 1, 1) == 10_810
    assert resources.memory(LARGE, MNLI, 1, 1) == 17_578
    assert resources.training_minutes(BASE, MNLI, 3, 1, 1) == 119
    assert resources.training_minutes(LARGE, MNLI, 3, 1, 1) == 228
    assert resources.training_minutes(LARGE, MNLI // 10, 3, 1, 1) == 32
    assert resources.evaluation_minutes(LARGE, MNLI, 1, 1) == 27


def test_each_process_of_several_gpus_loads_the_model_and_the_rows():
    """Four times 4,000 MB and the rows twice, the weights nine times."""
    assert resources.memory(LARGE, MNLI, 4, 1) == int(16_000 + (9 * LARGE + 8 * MNLI) / 1e6)


def test_what_is_kept_of_an_adapter_is_small_and_shards_are_one_model():
    """Of an adapter each process has the model once; six copies of a twentieth of it are less."""
    adapter = resources.memory(LARGE, MNLI, 4, 1, trained=0.05)
    assert adapter == int(16_000 + (4 * LARGE + 8 * MNLI) / 1e6)
    sharded = resources.memory(LARGE, MNLI, 4, 1, sharded=True)
    assert sharded == int(16_000 + (6 * LARGE + 8 * MNLI) / 1e6)


def test_mining_asks_for_what_it_searches():
    """Two pools of 500,000 sentences of 20 pieces; 16 GB of embeddings."""
    rows = 1_000_000 * 20 * 4
    alone, mined = (resources.memory(LARGE, rows, 1, 1, searched) for searched in (0, rows))
    assert mined - alone == pytest.approx(16_384, abs=1)
    seconds = 4 * 1024 * 500_000**2 / resources.CPU_RATE
    minutes = [resources.evaluation_minutes(LARGE, rows, 1, 1, searched) for searched in (0, rows)]
    assert minutes[1] - minutes[0] == pytest.approx(seconds / 60, abs=1)


def test_a_pool_is_searched_in_parts():
    """15,000 queries of 20 pieces among a million candidates of as many."""
    queries, pool = 15_000 * 20 * 4, 1_000_000 * 20 * 4
    alone, with_pool = (
        resources.evaluation_minutes(LARGE, pool, 1, 1, queries, p) for p in (0, pool)
    )
    assert with_pool - alone == pytest.approx(4 * 1024 * 15e9 / resources.CPU_RATE / 60, abs=1)


def test_each_attempt_asks_for_more_up_to_what_a_cluster_has():
    asked = [resources.memory(LARGE, MNLI, 1, attempt) for attempt in (1, 2, 3, 20)]
    assert asked == [17_578, 26_367, 39_551, resources.MOST_MB]
    minutes = [resources.training_minutes(BASE, MNLI, 3, 1, attempt) for attempt in (1, 2, 3, 20)]
    assert minutes == [119, 237, 473, resources.MOST_MINUTES]


def test_a_model_without_gpus_asks_for_more_memory_and_time():
    assert resources.memory(BASE, MNLI, 0, 1) > 1.4 * resources.memory(BASE, MNLI, 1, 1)
    assert resources.evaluation_minutes(BASE, MNLI, 0, 1) > resources.evaluation_minutes(
        BASE, MNLI, 1, 1
    )


def test_the_size_of_files_that_are_not_made_yet_is_not_known(tmp_path):
    (tmp_path / "one").write_bytes(b"123")
    assert resources.bytes_of(str(tmp_path / "one")) == resources.bytes_of([tmp_path / "one"]) == 3
    with pytest.raises(FileNotFoundError):  # which Snakemake takes for "to be determined"
        resources.bytes_of([tmp_path / "one", tmp_path / "two"])


def test_sbatch_gets_the_name_as_the_shell_reads_it():
    words = shlex.split(resources.sbatch("tune/bert-Japanese/none/seed1/mnli"))
    assert words == ["--signal=USR1@120", "--commen=tune/bert-Japanese/none/seed1/mnli"]
    assert "-J" not in resources.sbatch("bert-Japanese"), "the plugin would refuse it"


def test_features_of_pictures():
    """DINOv2's base, 346 MB in fp32, over COCO's 118,287 pictures: a third of a GPU's rate is
    nothing beside an hour of decoding, which two processes halve."""
    model, pictures = 346_000_000, 118_287
    assert resources.features_memory(model, 2, 1) == 4_000 + 3 * 346 + 2 * 1_000
    assert resources.features_memory(model, 2, 2) == int(1.5 * 7_038)
    alone, two = (resources.features_minutes(model, pictures, 1, n, 1) for n in (1, 2))
    assert (alone, two) == (86, 53)
    assert resources.features_minutes(model, pictures, 1, 1, 2) == 172
    assert resources.features_minutes(model, pictures, 0, 1, 1) == 24 * 60, "on a CPU a day"


def test_a_decoder_that_writes_is_loaded_as_it_is_stored_and_on_a_cpu_in_fp32():
    """8 billion parameters in bf16; 24 million tokens of answers, at a quarter of the rate."""
    stored = 16_000_000_000
    assert resources.writing_memory(stored, 1, 1) == 4_000 + 16_000
    assert resources.writing_memory(stored, 0, 1) == 4_000 + 48_000
    assert resources.writing_memory(0, 0, 2) == 6_000  # the grammar
    seconds = 600 + 2 * 8e9 * 24e6 / (0.25 * 20e12)
    assert resources.writing_minutes(stored, 24e6, 1, 1) == int(seconds / 60) + 1
    assert resources.writing_minutes(0, 0.0, 0, 1) == 11
