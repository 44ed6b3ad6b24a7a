"""`python -m bank_simulations.stub --port 8000 [FAULT SHARE …]`: serve the stub on loopback."""

from __future__ import annotations

import argparse
from dataclasses import fields

import uvicorn

from .app import Stub
from .faults import Faults


def main() -> None:
    """Serve until terminated."""
    parser = argparse.ArgumentParser(prog="bank_simulations.stub", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    for each in fields(Faults):
        parser.add_argument("--" + each.name.replace("_", "-"), type=float, default=each.default)
    options = vars(parser.parse_args())
    port = options.pop("port")
    faults = Faults(**{**options, "deaf_to_keys": bool(options["deaf_to_keys"])})
    uvicorn.run(Stub(faults).app(), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
