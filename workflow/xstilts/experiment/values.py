"""The value that a question is about: on which scales it may be asked for, and of which cells."""

from collections import Counter
from collections.abc import Iterable, Sequence

from xstilts.experiment.experiment import Experiment
from xstilts.experiment.questions import SCALES, AskedCell
from xstilts.running.errors import UserError

NO_ERRORS = ("matthews", "pearson", "spearman")  # correlations: there are no errors to share


def check_scales(
    key: str, scales: Sequence[str], targets: set[str], experiment: Experiment
) -> None:
    """Refuse scales that need errors, where a target has a correlation in place of them.

    Raises:
        UserError: the scale and the target.
    """
    odd = [scale for scale in scales if scale in SCALES[1:]]
    for target in sorted(targets) if odd else ():
        metric = experiment.tasks[target].metric
        if metric in NO_ERRORS:
            raise UserError(
                f"{key}: scales: `{odd[0]}` is of errors, and target `{target}` has none: its"
                f" metric is a correlation ({metric}); leave it out by `where`"
            )


def check_spread(key: str, label: str, value: str, cells: Iterable[AskedCell]) -> None:
    """Refuse a spread over the languages of a target that has one alone.

    Raises:
        UserError: the target.
    """
    count = Counter((cell.model, cell.intermediate, cell.target) for cell in cells)
    if value == "spread" and (alone := [at for at, found in count.items() if found < 2]):
        raise UserError(
            f"{key}: {label}: has target `{alone[0][2]}` in one language, which has no spread;"
            " leave it out by `where`"
        )
