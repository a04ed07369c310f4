"""The code of a card, and the task model, of other architectures than XLM-R."""

from types import SimpleNamespace

import numpy as np
import pytest
from tests.models.test_architectures import ARCHITECTURES, LABELS, made, quiet  # noqa: F401

from xstilts import formats
from xstilts.export import folder as export_folder
from xstilts.export import task_model
from xstilts.models import checkpoint

TEXTS = ["Anna sees the small dog in the garden.", "Der kleine Hund schläft."]


def run(path, format, head, layer=None):
    """Run the code of a card; return its names."""
    task = SimpleNamespace(format=format, columns={}, no_answer=False)
    labels = LABELS.get(format, ())
    trained = SimpleNamespace(
        format=format, task=task, head=head, layer=layer, labels=labels, folder=path
    )
    names: dict = {}
    text = export_folder._code(trained, None, str(path))
    exec(text.replace('scores(["A dog sleeps."], ["An animal sleeps."])', "0"), names)
    return names


@pytest.mark.parametrize("name", [n for n in ARCHITECTURES if n not in ("bert", "xlm-roberta")])
def test_the_code_of_a_card_computes_what_the_evaluation_does(made, name, tmp_path):  # noqa: F811
    import shutil

    import torch
    from safetensors.torch import save_file

    path = shutil.copytree(made.folder(name), tmp_path / "m")
    encoder = checkpoint.load_encoder(path).eval()
    for format in ("classification", "tagging"):
        page = formats.page(format)
        torch.manual_seed(0)
        head = page.head(encoder, list(LABELS[format])).eval()
        task_model.build(encoder, head, format, LABELS[format])  # None, or what scores the same
        save_file(head.state_dict(), path / "head.safetensors")
        names = run(path, format, head="x")
        inputs = names["tokenizer"](TEXTS, padding=True, return_tensors="pt")
        mask = inputs["attention_mask"].bool()
        with torch.inference_mode():
            hidden = encoder(input_ids=inputs["input_ids"], attention_mask=mask.long())[0]
            ours = head(hidden, mask)
        found = names["scores"](TEXTS)
        keep = mask if format == "tagging" else slice(None)
        np.testing.assert_allclose(found[keep], ours[keep], rtol=1e-4, atol=1e-5)
    embed = run(path, "retrieval", head=None, layer=1)["embed"]
    cut = checkpoint.load_encoder(path, layers=1).eval()
    with torch.inference_mode():
        hidden = cut(input_ids=inputs["input_ids"], attention_mask=mask.long())[0]
        ours = formats.page("retrieval").head(cut, [])(hidden, mask)
    np.testing.assert_allclose(embed(TEXTS), ours, rtol=1e-4, atol=1e-5)
