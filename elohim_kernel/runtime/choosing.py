"""Which engines run when nobody chose: by what each says of itself, cheapest first."""

from collections.abc import Mapping
from typing import Final

from elohim_kernel.ports import Engine, EngineTraits, Purpose

STATIC_TOO: Final = frozenset({"ruff", "eslint"})
"""Security engines that say as much about ordinary errors."""

FAST: Final = frozenset({"policy", "taint", "ruff", "secrets", "complexity", "spread"})
"""What a review waits for; other packages' engines are asked for by name."""


def usual(engines: Mapping[str, Engine], purpose: Purpose) -> tuple[str, ...]:
    """The names of the engines for a purpose. One that is not installed is among them, to be told as not run."""
    wanted = [name for name, engine in engines.items() if _fits(name, engine.TRAITS, purpose)]
    return tuple(sorted(wanted, key=lambda name: (engines[name].TRAITS.cost, name)))


def _fits(name: str, traits: EngineTraits, purpose: Purpose) -> bool:
    if purpose is Purpose.REVIEW:
        return name in FAST
    if not traits.default:
        return False
    if purpose is Purpose.SECURITY:
        return traits.security
    if purpose is Purpose.STATIC:
        return not traits.security or name in STATIC_TOO
    return True
