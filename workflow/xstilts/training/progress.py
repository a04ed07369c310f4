"""Progress of a training: a bar on a terminal, a line every few seconds in a log file."""

import sys
import time
from collections.abc import Mapping

from xstilts.running.trackers import Trackers


class Progress:
    """Reports step, loss, learning rate, tokens a second and the time left."""

    def __init__(
        self,
        steps: int,
        spent: float = 0.0,
        interval: float = 10.0,
        trackers: Trackers | None = None,
    ) -> None:
        """Expect `steps` steps; without a terminal, print at most a line in `interval` seconds.

        Args:
            steps: of the whole training.
            spent: the seconds of earlier attempts.
            interval: see above.
            trackers: are told the same.
        """
        self.steps, self.interval, self.trackers = steps, interval, trackers
        self.last_report = time.monotonic()
        self.start = self.last_report - spent
        self.bar = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=steps, unit="step", dynamic_ncols=True)

    def due(self) -> bool:
        """Return whether it is time to report (reading the loss waits for the device)."""
        return time.monotonic() - self.last_report >= (1.0 if self.bar else self.interval)

    def report(self, step: int, loss: float, lr: float, tokens: int) -> None:
        """Report the state after `step` steps and `tokens` tokens in all, without padding."""
        now = time.monotonic()
        self.last_report = now
        elapsed = max(now - self.start, 1e-9)
        speed = tokens / elapsed
        self._track({"loss": loss, "learning rate": lr, "tokens per second": speed}, step)
        if self.bar:
            self.bar.update(step - self.bar.n)
            self.bar.set_postfix_str(f"loss {loss:.4f}, lr {lr:.1e}, {speed:,.0f} tokens/s")
            return
        left = elapsed / max(step, 1) * (self.steps - step)
        print(
            f"step {step}/{self.steps}  loss {loss:.4f}  lr {lr:.2e}  {speed:,.0f} tokens/s"
            f"  ETA {left / 60:.1f} min",
            flush=True,
        )

    def evaluated(self, step: int, values: Mapping[str, float]) -> None:
        """Report the metrics on the dev rows after `step` steps."""
        self.write(f"step {step}: dev " + format_metrics(values))
        self._track({f"dev {name}": value for name, value in values.items()}, step)

    def _track(self, values: Mapping[str, float], step: int) -> None:
        if self.trackers:
            self.trackers.log(values, step)

    def write(self, line: str) -> None:
        """Print a line of its own."""
        if self.bar:
            self.bar.write(line)
        else:
            print(line, flush=True)

    def close(self) -> None:
        """End the bar."""
        if self.bar:
            self.bar.close()


def format_metrics(values: Mapping[str, float]) -> str:
    """Return metrics as a line shows them."""
    return "  ".join(f"{key} {value:.4f}" for key, value in values.items())
