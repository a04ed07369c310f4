"""Which GPUs the trainings of a grid fit, and the shape of a model by its config."""

import pytest
from tests import results
from tests.bench import tiny

from xstilts.experiment import config, reference
from xstilts.experiment.grid import Grid
from xstilts.models import shape
from xstilts.models.gpu_memory import GpuMemory, of_adapter
from xstilts.monitoring.cell_states import read_config
from xstilts.monitoring.estimate import fitting, model_sizes
from xstilts.monitoring.estimate.model_sizes import ModelSize
from xstilts.steps import estimate

XL = reference.encoder("facebook/xlm-roberta-xl")
GB = 1e9


@pytest.mark.parametrize(
    ("memory", "gb", "said"),
    [
        (GpuMemory(XL), 200, "yes"),
        (GpuMemory(XL), 80, "3,539 tokens"),
        (GpuMemory(XL, checkpointing=True), 80, "yes"),
        (GpuMemory(XL), 40, "gpus: 2, sharding: fsdp or adapter: {rank: 16}"),
        (GpuMemory(XL, shards=2), 24, "gpus: 4, sharding: fsdp and checkpointing: yes or adapter"),
        (GpuMemory(XL, adapter=of_adapter(XL)), 24, "2,674 tokens"),
        (GpuMemory(XL), 16, "no: evaluation takes 20 GB"),
    ],
)
def test_what_is_said_of_a_model_and_a_gpu(memory, gb, said):
    found = fitting.cell(memory, gb * GB, 512, 16384, automatic=False)
    assert found.startswith(said), found


def test_checkpointing_that_is_automatic_helps_by_itself():
    large = GpuMemory(reference.encoder("FacebookAI/xlm-roberta-large"))
    most = (large.peak(8192, 8192) / 0.95 + 1e9) * 0.9
    said = [fitting.cell(large, most, 8192, 16384, automatic) for automatic in (True, False)]
    assert said == ["by checkpointing", "checkpointing: yes or adapter: {rank: 16}"]


def test_the_table_has_the_longest_example_of_each_model(tmp_path, capsys):
    results.write(tmp_path, models={"m": {"from": "FacebookAI/xlm-roberta-base"}})
    (tmp_path / "results/models/m/node.json").unlink()
    grid = read_config(tmp_path / results.HOME / "config.yaml")
    base = reference.encoder("FacebookAI/xlm-roberta-base")
    sizes = {"m": ModelSize(1.0, 1, shape=base)}
    head, row = fitting.table(grid, sizes, [6, 24])
    most = fitting.longest("m", grid)
    assert head == ["GPU memory", "GB", "longest example", "6 GB", "24 GB"]
    assert row[:2] == ["m", f"{(16 * base.parameters + 2 * base.matmul) / 1e9:.1f}"]
    assert row[2].startswith(f"{most.task}, {most.length} tokens: ")
    assert row[3].endswith("adapter: {rank: 16}") and row[4] == "yes"
    assert fitting.table(grid, {"m": ModelSize(1.0, 1)}) == [], "of no known shape"
    given = [str(tmp_path / results.HOME / "config.yaml"), "--name", "e", "--lock", ""]
    given += ["--directory", str(tmp_path), "--memory", "6,24"]
    estimate.main(estimate.parser().parse_args(given))
    assert "GPU memory  GB" in capsys.readouterr().out


def test_the_longest_training_is_of_the_recipes_and_the_cells_of_the_model():
    own = {"recipes": {"all": {"optimizer": "adamw8bit"}}}
    models = {"m": {"from": "o/m"}, "small": {"from": "o/m"} | own, "few": {"from": "o/m"}}
    changes = {
        "models": models,
        "intermediates": {"mnli": {"tasks": ["mnli"]}, "squad": {"tasks": ["squad"]}},
        "targets": ["xnli"],
        "exclude": [{"model": ["few"], "intermediate": "squad"}],
    }
    grid = Grid(config.load(results.CONFIG | changes))
    found = {model: fitting.longest(model, grid) for model in models}
    assert {k: (one.task, one.length, one.optimizer) for k, one in found.items()} == {
        "m": ("squad", 384, "adamw"),
        "small": ("squad", 384, "adamw8bit"),
        "few": ("mnli", 256, "adamw"),
    }


@pytest.mark.parametrize("given", ["", "24,x", "0", "-1", "24;40", "nan", "1e9"])
def test_a_memory_that_is_no_number_is_one_line(given, capsys):
    with pytest.raises(SystemExit):
        estimate.parser().parse_args(["c.yaml", f"--memory={given}"])
    assert f"`{given}`: numbers of GB, as in 24,80" in capsys.readouterr().err


@pytest.mark.parametrize("architecture", ["umt5", "gemma3_text", "t5gemma", "xglm"])
def test_the_shape_by_the_config_is_that_of_the_model(architecture):
    asked = tiny.shape(architecture, 1, 32, 80, 2, 1, 24)
    found = shape.of_config(tiny.encoder(asked).config.to_dict())
    assert found == asked.with_parameters(found.parameters)


def test_a_size_by_name_has_the_shape_of_the_nearest():
    found = model_sizes.by_name("o/new-7.5B").shape
    assert (found.parameters, found.layers) == (7_500_000_000, 32)  # of XGLM 7.5B
