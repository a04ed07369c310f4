"""The train step with packed sequences, as on a GPU, on a CPU: for tests in processes of several
ranks."""

from xstilts.models.execution import Execution
from xstilts.steps import process, train


def choose(cls, encoder, device, compiled=False):
    """Return packed execution, prepared once."""
    if not hasattr(encoder, "how_it_is_run"):
        found, reason = cls.tried(encoder, device)
        print("runs packed" if found.packed else reason)
        object.__setattr__(encoder, "how_it_is_run", found)
    return encoder.how_it_is_run


if __name__ == "__main__":
    Execution.choose = classmethod(choose)
    process.run(train.main, train.parser())
