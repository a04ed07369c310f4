"""Part 1: what the device can do at most: a matrix product in bf16, a copy in its memory."""

from .figures import Figures
from .models import sync
from .runner import Setting
from .timing import seconds_of


def run(setting: Setting, figures: Figures) -> None:
    """Show TFLOP/s of a product of random matrices, and TB/s of a copy, read and written."""
    import torch

    from xstilts.running import device as devices

    where, size = devices.choose(), setting.size
    if setting.gpu:
        about = torch.cuda.get_device_properties(0)
        note = f"{about.name}, {about.multi_processor_count} multiprocessors"
        figures.show("memory", round(about.total_memory / 1e9, 1), "GB", note=note)
        bf16 = torch.cuda.is_bf16_supported()
        figures.show("bf16", bf16, ok=bf16)
    dtype = torch.bfloat16 if setting.gpu else torch.float32
    a, b = (torch.randn(size.matmul, size.matmul, device=where, dtype=dtype) for _ in "ab")
    seconds = seconds_of(lambda: a @ b, lambda: sync(where))
    note = "" if setting.gpu else "fp32, one thread"
    figures.show("matmul", 2 * size.matmul**3 / seconds / 1e12, "TFLOP/s", note=note)
    source = torch.randint(0, 255, (size.copy * 1_000_000,), dtype=torch.uint8, device=where)
    target = torch.empty_like(source)
    seconds = seconds_of(lambda: target.copy_(source), lambda: sync(where))
    figures.show("copy", 2 * source.numel() / seconds / 1e12, "TB/s", note="read and written")
    if not setting.gpu:
        figures.needs_gpu("matmul in bf16")
