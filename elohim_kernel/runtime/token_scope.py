"""What a session opened with a token may not do: act as anybody but the token's principal."""

from elohim_kernel.errors import Denied


def bound_to_token(name: str) -> Denied:
    """The error for acting as somebody else than the token's principal."""
    return Denied(f"this session's token does not allow acting as {name!r}", hint="open a session without the token")
