"""How alike rows and their sources are to an encoder.

Of each text the mean of its states at one layer; from these the mean of all texts of its language
is taken away, without which the states of any two texts are nearly alike (Ethayarajh 2019, arXiv
1909.00512); then the cosine.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from xstilts.scoring.alignment import Aligner
from xstilts.translation import measures
from xstilts.translation.measures import Row

LENGTH = 512  # tokens of a text that are read


class Similarity:
    """An encoder, and the mean states of both languages, which are those of the first block."""

    def __init__(self, aligner: Aligner, format: str) -> None:
        """Take the encoder, which measures one layer, and the format of the rows."""
        self.aligner, self.format = aligner, format
        self._means: tuple[np.ndarray, np.ndarray] | None = None

    def measured(
        self, blocks: Iterable[tuple[list[Row] | None, list[Row]]]
    ) -> Iterator[tuple[list[str], np.ndarray]]:
        """Yield the ids and values of rows with their sources; of a row that of the text which is
        least alike."""
        for sources, made in blocks:
            assert sources is not None
            before, after = (
                [measures.texts(row, self.format) for row in rows] for rows in (sources, made)
            )
            pairs = [
                (at, *both)
                for at, row in enumerate(zip(before, after, strict=True))
                for both in zip(*row, strict=True)
                if all(text.strip() for text in both)
            ]
            values: np.ndarray = np.full(len(made), np.nan, dtype=np.float32)
            if pairs:
                alike = self._cosines([one for _, one, _ in pairs], [two for _, _, two in pairs])
                rows = np.array([at for at, *_ in pairs])
                values[rows] = np.inf
                np.minimum.at(values, rows, alike)
            yield [row["id"] for row in made], values

    def _cosines(self, before: Sequence[str], after: Sequence[str]) -> np.ndarray:
        x, y = self._states(before), self._states(after)
        if self._means is None:
            self._means = x.mean(0), y.mean(0)
        return (_unit(x - self._means[0]) * _unit(y - self._means[1])).sum(1)

    def _states(self, texts: Sequence[str]) -> np.ndarray:
        """Return the mean states of texts, float32 [texts, H], each distinct one read once."""
        place = {text: at for at, text in enumerate(dict.fromkeys(texts))}
        means = self.aligner.means(list(place), LENGTH)
        return means.layer(0, np.array([place[text] for text in texts]))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
