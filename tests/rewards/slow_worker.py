"""A helper process that sleeps or computes for as long as it is asked to."""

import time

from rewards.sandbox.frames import send, serve


def main(control: int) -> None:
    """Says hello, and answers `{"sleep": s}` and `{"burn": s}`."""
    send(control, {})
    serve(control, _answer)


def _answer(request: dict[str, float]) -> dict[str, object]:
    time.sleep(request.get("sleep", 0))
    begun = time.process_time()
    while time.process_time() - begun < request.get("burn", 0):
        pass
    return {"done": True}
