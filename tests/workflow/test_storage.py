"""What of the tuned models stays on the disk."""

import json
import shlex

from tests.workflow.running import command, run, tiny


def test_tuned_weights_are_dropped_after_their_evaluations_and_what_they_made_stays(done):
    """Of a run that kept them: what is finished is not made anew, a new seed leaves no weights."""
    done.write(tiny(keep_tuned=False))
    shown = {"plan": 1, "tables": 1, "figures": 1, "report": 1, "all": 1}
    assert done.planned() == shown
    for path in done.path("tuned").rglob("*.safetensors"):
        path.unlink()
    assert done.planned() == shown, "as after deleting them by hand"
    done.write(tiny(keep_tuned=False, seeds=[1, 2], targets=["udpos"]))
    done.snakemake().ok()
    folder = done.path("tuned/xlmr/none/seed2/udpos_en")
    assert {path.name for path in folder.iterdir()} == {"node.json", "tokenizer_config.json"}
    assert not list(done.path(".state").rglob("*.safetensors"))
    assert done.path("encoders/xlmr/mnli/seed2/model.safetensors").is_file()
    assert done.snakemake().nothing
    # A further language is tuned anew, and costs each score only itself.
    done.write(tiny(keep_tuned=False, seeds=[2], targets=["udpos"], languages=["de", "en", "ru"]))
    again = done.snakemake().ok()
    assert again.jobs["tune"] == again.jobs["evaluate_udpos"] == 2
    log = done.read("logs/evaluate/xlmr/none/seed2/udpos.log").splitlines()
    assert log[:2] == ["de: already computed", "en: already computed"] and len(log) == 3
    assert not list(done.path("tuned").rglob("seed2/*/*.safetensors"))


def test_without_room_for_weights_a_line_says_so_and_all_that_was_finished_stays(done):
    """A limit on the size of files stands for the disk: the system answers the same way."""
    path = done.write(tiny(seeds=[1, 2], targets=["udpos"], intermediates={}))
    before = {p: p.read_bytes() for p in done.path("scores").rglob("*.json")}
    weights = done.path("tuned/xlmr/none/seed1/udpos_en/model.safetensors")
    kib = weights.stat().st_size // 1024 // 2
    line = shlex.join(map(str, command(done.folder, [path])))
    full = run(["bash", "-c", f"ulimit -f {kib}; trap '' XFSZ; {line}"], done.folder)
    full.failed("error: no room on the disk: ", "; what is finished is intact")
    assert not list(done.path("tuned/xlmr/none").glob("seed2/*/*.safetensors"))
    events = [json.loads(text) for text in done.read("ledger.jsonl").splitlines()]
    assert {e["kind"] for e in events if e["event"] == "failed"} == {"disk"}
    assert {p: p.read_bytes() for p in before} == before
    again = done.snakemake().ok()
    assert again.jobs["tune"] == again.jobs["evaluate_udpos"] == 1
    assert done.snakemake().nothing
