"""The features of pictures: killed and continued, and made again where what they are of changes."""

from pathlib import Path

from tests.workflow.running import Experiment, at_work, tiny

CONFIG = {
    "vision": {"dinov2": {"from": "facebook/dinov2-base"}},
    "intermediates": {"vqa": {"tasks": ["vqa"]}},
    "targets": ["xnli"],
    "languages": ["en"],
}
FEATURES = "results/features/dinov2/coco/train.safetensors"
RECORD = FEATURES.replace("safetensors", "json")


def test_features_that_are_killed_go_on_and_have_the_same_bytes(tmp_path):
    """Of 1,100 pictures the first 1,024 are done when Snakemake and its jobs are killed."""
    config = tiny(**CONFIG)
    config["toy"] = {**config["toy"], "sizes": {"train": 1100, "dev": 12, "test": 12}}
    experiment = Experiment(tmp_path)
    file = experiment.write(config)
    block = tmp_path / "results/.state/features/dinov2/coco/train/blocks/000000.npz"
    with at_work(tmp_path, [file], RECORD, until=block.exists):
        pass
    assert not (tmp_path / RECORD).exists() and not (tmp_path / FEATURES).exists()
    experiment.snakemake("--unlock").ok()
    experiment.snakemake(RECORD).ok()
    log = experiment.read("logs/features/dinov2/coco/train.log")
    assert "goes on with picture 1025 of 1100" in log and not block.exists()
    continued = (tmp_path / FEATURES).read_bytes()
    for path in (FEATURES, RECORD):
        Path(tmp_path, path).unlink()
    assert experiment.snakemake(RECORD).ok().jobs == {"features": 1}
    assert "goes on" not in experiment.read("logs/features/dinov2/coco/train.log")
    assert (tmp_path / FEATURES).read_bytes() == continued
    # Fewer positions: of what is there, the encoder and the rows stay.
    config["vision"]["dinov2"]["positions"] = 4
    experiment.write(config)
    assert experiment.snakemake("-n", RECORD).ok().jobs == {"features": 1}
