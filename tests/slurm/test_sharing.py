"""Several jobs on a GPU by shards, and several nodes in a job by groups, as docs/cluster.md says."""

import re

import pytest
import yaml
from tests.slurm.submitting import FIRST_STAGE, HERE, PROFILE, RETRIEVAL, TRAINING, overlaps
from tests.workflow.running import ROOT

PAGE = (ROOT / "docs/cluster.md").read_text(encoding="utf-8")


@pytest.fixture
def profile(tmp_path):
    """The profile with what a block of the page adds to it, of the targets that are here."""

    def written(heading):
        block = re.search(rf"### {heading}\n.*?```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
        block = block.replace("xnli", "udpos").replace("xquad", "tatoeba")
        path = tmp_path / "profile/config.yaml"
        path.parent.mkdir()
        path.write_text(yaml.safe_dump(yaml.safe_load((PROFILE / "config.yaml").read_text())
                                       | yaml.safe_load(block)))  # fmt: skip
        return path.parent

    return written


def test_jobs_share_a_gpu_by_shards(start, profile):
    where = profile("Several jobs on a GPU")
    start.finish(start.begin(*FIRST_STAGE.values(), *HERE, profile=where)).ok()
    submitted = [each for each in start.starts() if each.job]
    assert {each.node for each in submitted} == set(FIRST_STAGE)
    assert overlaps(submitted), submitted
    assert all(each.gpu == "0" for each in submitted), "as many as fit on the first"


def test_nodes_that_are_grouped_are_one_job_of_one_gpu(start, profile, cluster):
    where = profile("Several nodes in a job")
    process = start.begin(*HERE, profile=where)
    start.wait_for(TRAINING)
    asked = [cluster.ask("scontrol", "show", "job", job["id"]) for job in cluster.jobs()]
    start.finish(process).ok()
    assert all("gres:gpu:1" in each and "NumNodes=1" in each for each in asked) and asked
    jobs = {}
    for each in start.starts():
        if each.job:
            jobs.setdefault(each.job, []).append(each)
    nodes = sorted(sorted(each.node for each in of) for of in jobs.values())
    print(nodes, [(e.node, e.job, e.gpu, e.began, e.ended) for of in jobs.values() for e in of])
    assert [TRAINING, RETRIEVAL] and all(overlaps(of) == [] for of in jobs.values())
