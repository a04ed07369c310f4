"""Print the rows of the table of docs/models.md that says how large adapters are."""

from xstilts.experiment.reference import encoder
from xstilts.models.gpu_memory import of_adapter

MODELS = (
    "FacebookAI/xlm-roberta-base",
    "FacebookAI/xlm-roberta-large",
    "answerdotai/ModernBERT-base",
    "Qwen/Qwen3-0.6B",
    "Qwen/Qwen3-8B",
)

for name in MODELS:
    shape = encoder(name)
    assert shape, name
    whole, own = shape.parameters, of_adapter(shape)
    print(
        f"| {name} | {whole / 1e6:,.0f} M | {own / 1e6:.1f} M |"
        f" {4 * own / 1e6:.0f} MB, {own / whole:.1%} | {2 * own / whole:.1%} |"
    )
