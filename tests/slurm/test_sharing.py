"""Several jobs on a GPU by shards, several nodes in a job by groups, as docs/cluster.md says."""

import re
from pathlib import Path

import pytest
import yaml
from tests.slurm.submitting import FIRST, FIRST_STAGE, HERE, PROFILE, RETRIEVAL, TRAINING, overlaps
from tests.workflow.running import ROOT

from xstilts.running import gpus

PAGE = (ROOT / "docs/cluster.md").read_text(encoding="utf-8")


@pytest.fixture
def profile(tmp_path):
    """The profile with what a block of the page adds to it, of the targets that are here."""

    def written(heading):
        block = re.search(rf"### {heading}\n.*?```yml\n(.*?)```", PAGE, re.DOTALL)[1]
        block = block.replace("xnli", "udpos").replace("xquad", "tatoeba")
        path = tmp_path / "profile/config.yaml"
        path.parent.mkdir()
        path.write_text(yaml.safe_dump(yaml.safe_load((PROFILE / "config.yaml").read_text())
                                       | yaml.safe_load(block)))  # fmt: skip
        return path.parent

    return written


def test_jobs_share_a_gpu_by_shards(start, profile):
    where = profile("Several jobs on a GPU")
    process = start.begin(*FIRST_STAGE.values(), *HERE, profile=where)
    environ = Path(f"/proc/{start.wait_for(TRAINING).pid}/environ").read_bytes()
    assert b"\0" + gpus.PARTS[1].encode() + b"=1" in environ, "so no energy is recorded"
    start.finish(process).ok()
    submitted = [each for each in start.starts() if each.job]
    assert {each.node for each in submitted} == set(FIRST_STAGE)
    assert overlaps(submitted), submitted
    assert all(each.gpu == "0" for each in submitted), "as many as fit on the first"


def test_nodes_that_are_grouped_are_one_job_of_one_gpu_which_goes_on_where_it_failed(
    start, profile, cluster
):
    evaluation = "evaluate/xlmr/none/seed1/udpos"
    start.fault(evaluation, "fails")
    process = start.begin(*HERE, profile=profile("Several nodes in a job"))
    start.wait_for(TRAINING)
    asked = [cluster.ask("scontrol", "show", "job", job["id"]) for job in cluster.jobs()]
    start.finish(process).ok()
    assert asked and all("gres:gpu:1" in each and "NumNodes=1" in each for each in asked)
    jobs: dict[str, list] = {}
    for each in start.starts():
        if each.job:
            jobs.setdefault(each.job, []).append(each)
    assert sorted([each.node for each in of] for of in jobs.values()) == [
        ["evaluate/xlmr/mnli/seed1/tatoeba", RETRIEVAL],
        [FIRST],
        ["tune/xlmr/mnli/seed1/udpos_en", "evaluate/xlmr/mnli/seed1/udpos"],
        [TRAINING, evaluation],
        [TRAINING, evaluation],
    ]
    assert all(overlaps(of) == [] for of in jobs.values()), "one after the other"
    assert "already made" in start.read(f"logs/{TRAINING}.log"), "in the first attempt"
