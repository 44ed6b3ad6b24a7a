"""Every setting is shown in `.env.example`, with its default."""

import json
import re
import subprocess
import sys

from places import SERVICE

EXAMPLE = (SERVICE / ".env.example").read_text()
SHOWN = dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
PRINT_DEFAULTS = """
import json
from ourbank.config import Settings

def variable(name, field):
    alias = field.validation_alias
    return f"BANK_{name.upper()}" if alias is None else alias.choices[-1]

fields = Settings.model_fields.items()
print(json.dumps({variable(name, field): field.default for name, field in fields}, default=str))
"""


def defaults() -> dict[str, object]:
    """Every setting by its variable, as the service itself names them."""
    command = [sys.executable, "-c", PRINT_DEFAULTS]
    src = {"PYTHONPATH": str(SERVICE / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=src, capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_every_setting_is_shown_and_nothing_else() -> None:
    assert set(SHOWN) == set(defaults())


def test_every_default_shown_is_the_default() -> None:
    differing = {
        name: (SHOWN[name], default)
        for name, default in defaults().items()
        if default is not None and SHOWN[name] != str(default)
    }
    assert differing.keys() == {"BANK_HTTP_PORT"}, differing
