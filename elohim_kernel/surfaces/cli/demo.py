"""`elohim demo`: a first review, on a sample repository of our own."""

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import OK, OUR_FAULT, command

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@command(app, "demo")
def demo(call: Call) -> int:
    """Review a sample change, run its report notebook, and see what waits for a decision.

    The sample is a small service with a believable history; it is made once below the home folder. Needs no network.
    Where the notebook extra is missing the report is left out, which is said, and the exit code is 0 all the same.
    """
    from elohim_kernel.runtime.sample import build_sample_repository
    from elohim_kernel.store.home import Home
    from elohim_kernel.surfaces.cli.reviewing import closing, reviewed

    place = call.home / "demo" / "service"
    if not (place / ".git").is_dir():
        Home(call.home).prepare()
        call.out.remark(f"making a sample repository in {place}")
        build_sample_repository(place)
    done = reviewed(call, str(place), base=None, head=None, template="Standard Code Review", report=True)
    extra = {"report": {"path": done.report.path, "problem": done.report.problem}}
    call.show({**done.item, **extra}, lambda: closing(call, done))
    return OUR_FAULT if done.item["status"] == "failed" else OK
