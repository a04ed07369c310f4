"""Where the time of a step goes: kernels by kind, launches, and how long the device has waited."""

import time
from typing import Any

from .figures import Figures
from .models import sync

STEPS = 3
# Kinds of kernels, by what is in their names; the first that fits.
KINDS = {
    "attention": ("flash", "fmha", "attention", "sdpa"),
    "matrix products": ("gemm", "cutlass", "nvjet", "cublas", "xmma", "addmm", "mm"),
    "optimizer": ("adam", "multi_tensor", "foreach", "norm_", "lpnorm"),
    "copies": ("memcpy", "memset", "copy"),
    "layer norm": ("layer_norm", "layernorm"),
    "the rest": ("",),
}
LAUNCHES = ("cudaLaunchKernel", "cuLaunchKernel", "cudaGraphLaunch", "cudaLaunchKernelExC")


class Profile:
    """A profile of `STEPS` steps."""

    def __init__(self, device) -> None:
        self.device, self.seconds = device, 0.0
        self.profiler: Any = None

    def start(self) -> None:
        """Begin, after the step before is done."""
        from torch.profiler import ProfilerActivity, profile

        # On a GPU its own alone, launches included: operators of the host would slow it down.
        cuda = self.device.type == "cuda"
        sync(self.device)
        self.profiler = profile(
            activities=[ProfilerActivity.CUDA if cuda else ProfilerActivity.CPU]
        )
        self.profiler.__enter__()
        self.seconds = time.perf_counter()

    def stop(self) -> None:
        """End, when the device is done."""
        sync(self.device)
        self.seconds = time.perf_counter() - self.seconds
        self.profiler.__exit__(None, None, None)

    def show(self, figures: Figures, name: str) -> None:
        """Show launches a step, and each kind's share of the time of the steps."""
        events = self.profiler.key_averages()
        cuda = self.device.type == "cuda"
        if cuda:
            launches = sum(event.count for event in events if event.key.startswith(LAUNCHES))
            figures.show(f"{name}: launches", round(launches / STEPS), "a step")
            kernels = [e for e in events if str(e.device_type).endswith("CUDA") and not _named(e)]
            times = [(event.key, event.self_device_time_total) for event in kernels]
        else:
            times = [(event.key, event.self_cpu_time_total) for event in events]
        shares = dict.fromkeys(KINDS, 0.0)
        for key, microseconds in times:
            kind = next(k for k, marks in KINDS.items() if any(m in key.lower() for m in marks))
            shares[kind] += microseconds / 1e6 / self.seconds
        said = ", ".join(f"{kind} {100 * share:.0f}%" for kind, share in shares.items())
        idle = max(0.0, 1 - sum(shares.values()))
        note = said + ("" if cuda else " (operators of one CPU thread)")
        figures.show(f"{name}: waits", 100 * idle, "% profiled", note=note)


def _named(event) -> bool:
    """Return whether an event is a stretch of time that somebody has named, and no kernel."""
    annotated = getattr(event, "is_user_annotation", False)
    return annotated or event.key.startswith(("Optimizer.", "ProfilerStep", "## "))
