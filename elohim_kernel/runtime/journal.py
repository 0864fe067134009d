"""What a run has finished, so that it is not done again."""

from typing import Protocol


class Journal(Protocol):
    """Where finished steps are kept for one run."""

    def recall(self, name: str, inputs_digest: str) -> str | None:
        """Recorded output (JSON) of a finished step with equal inputs; None when there is none."""

    def record(self, name: str, inputs_digest: str, output_json: str, seconds: float) -> None:
        """Keep the output of a finished step; it is durable when this returns."""


class MemoryJournal:
    """A journal that lasts as long as the process, for one-shot use and tests."""

    def __init__(self) -> None:
        self.steps: dict[tuple[str, str], str] = {}

    def recall(self, name: str, inputs_digest: str) -> str | None:
        """See `Journal`."""
        return self.steps.get((name, inputs_digest))

    def record(self, name: str, inputs_digest: str, output_json: str, seconds: float) -> None:
        """See `Journal`."""
        self.steps[name, inputs_digest] = output_json
