"""Embedding spaces: which there are, how they are filled, and how searches change to another."""

from __future__ import annotations

from typing import Callable, Iterable

from ._arguments import Fields, Text
from ._opened import Opened
from ._twins import twin

Progress = Callable[[int, int], object]


class Spaces(Opened):
    """The embedding spaces of the tenant, one for each model and version."""

    __slots__ = ()

    def spaces(self) -> list[Fields]:
        """The spaces by id, with their vectors and how many are missing; `active` is the one that is searched."""
        return self._handle.spaces()

    aspaces = twin(spaces)

    def switch_space(
        self, space_id: Text | None = None, *, force: bool = False, progress: Progress | None = None
    ) -> Fields:
        """Embeds what a space lacks, compares how well it finds, and has all searches use it in one step.

        Without an id it is the space of the model that open() was given. The answer says in `switched` whether
        it is used now, and in `why` what the comparison said; `force` switches to one that finds less, too.
        `progress` is called with how many vectors are done and about how many are left.
        """
        return self._handle.switch_space(space_id, force, progress)

    aswitch_space = twin(switch_space)

    def fit_space(
        self, *, dimension: int = 256, documents: int = 10_000, seed: int = 1, progress: Progress | None = None
    ) -> Fields:
        """Fits a model on the newest texts and keeps it as a space, which it returns.

        Nothing searches it before switch_space(). Worth repeating when the memory has doubled. `progress` is called
        with how many texts were looked at and how many are left, each counted as often as it is looked at.
        """
        return self._handle.fit_space(dimension, documents, seed, progress)

    afit_space = twin(fit_space)

    def drop_space(self, space_id: Text) -> bool:
        """Forgets a space with its vectors. False if there is none; Conflict for the one that is searched."""
        return self._handle.drop_space(space_id)

    adrop_space = twin(drop_space)

    def backfill(self, progress: Progress | None = None) -> int:
        """Embeds what was recorded without an index, and says how many actions were dealt with."""
        return self._handle.backfill(progress)

    abackfill = twin(backfill)

    def import_vectors(
        self, space_id: Text, ids: Iterable[Text], vectors: Iterable[Iterable[float]]
    ) -> Fields:
        """Stores vectors that were computed elsewhere, as {"stored", "present", "unknown"}.

        `vectors` has a row for each id of an action: a numpy array, or lists.
        """
        return self._handle.import_vectors(space_id, list(ids), vectors)

    aimport_vectors = twin(import_vectors)

    def failed_subjects(self, limit: int = 100) -> list[Fields]:
        """What the model refuses, with its tries and the last error, the oldest first."""
        return self._handle.failed_subjects(limit)

    afailed_subjects = twin(failed_subjects)

    def retry_failed(self, ids: Iterable[Text] | None = None) -> int:
        """Has these embedded again, or all without ids, and says how many they were."""
        return self._handle.retry_failed(None if ids is None else list(ids))

    aretry_failed = twin(retry_failed)

    def evaluate(
        self, *, spaces: Iterable[Text] | None = None, queries: int = 200, documents: int = 20_000
    ) -> Fields:
        """How well searches find what belongs together in this memory: by words, by vectors and by both."""
        return self._handle.evaluate(None if spaces is None else list(spaces), queries, documents)

    aevaluate = twin(evaluate)
