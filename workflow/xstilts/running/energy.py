"""The energy that GPUs have taken, as their driver counts it (NVML; Volta and newer)."""

from functools import cache

from xstilts.running import gpus


class Meter:
    """Counts from when it is made, over the GPUs that the process sees.

    A counter is a whole GPU's, so nothing is told where several jobs share one.
    """

    def __init__(self, before: float | None = 0.0) -> None:
        """Go on from `before`, joules (None: not known)."""
        self.before, self.first = before, _counted()

    @property
    def joules(self) -> float | None:
        """What was taken so far; None where a GPU does not tell, or there is none."""
        now = _counted()
        if now is None or self.first is None or self.before is None:
            return None
        return self.before + now - self.first

    def record(self) -> dict[str, float]:
        """Return what the records say: `energy_joules`, or nothing."""
        found = self.joules
        return {} if found is None else {"energy_joules": round(found, 1)}


def _counted() -> float | None:
    """Return the joules that the GPUs have taken since their driver was loaded."""
    if gpus.shared():
        return None
    names = _names()
    if not names:
        return None
    import pynvml

    try:
        handles = [pynvml.nvmlDeviceGetHandleByUUID(name) for name in names]
        return sum(pynvml.nvmlDeviceGetTotalEnergyConsumption(one) for one in handles) / 1000
    except pynvml.NVMLError:  # an older GPU, a part of one (MIG), a driver that is not NVIDIA's
        return None


@cache
def _names() -> tuple[str, ...]:
    """Return NVML's names of the GPUs that the process sees, after the device is chosen."""
    import torch

    if not torch.cuda.is_available():
        return ()
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    found = (torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count()))
    return tuple(f"GPU-{one.uuid}" for one in found)
