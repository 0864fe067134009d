"""What the stages that look at a change begin with."""

from elohim_kernel.model.change import Change
from elohim_kernel.model.target import target_of
from elohim_kernel.ports import EngineRequest, StageWork, Tools


def change_of(work: StageWork, tools: Tools) -> Change:
    """The change the item is about. Raises `Invalid` when the item names no usable repository.

    Journalled: a branch that moves while the stage runs does not change what is looked at.
    """
    target = target_of(work.data, path=work.target_path, reference=work.reference)
    return tools.step(
        "change", target, Change, lambda: tools.repository(target.repository).change(target.base, target.head)
    )


def request_for(change: Change) -> EngineRequest:
    """The question to engines about a change; settings are read from where it began."""
    return EngineRequest(
        repository=change.repository, head=change.head, change=change, base=change.merge_base or change.base
    )
