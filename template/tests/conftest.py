"""Bake banks as `cookiecutter` does, without touching the home folder of whoever runs the tests."""

from pathlib import Path

import pytest
from cookiecutter.main import cookiecutter
from places import REPOSITORY, Bake


@pytest.fixture
def bake(tmp_path: Path) -> Bake:
    """Bake a bank from the answers given, from the repository's root unless told otherwise."""
    config = tmp_path / "cookiecutter.yaml"
    config.write_text(f"cookiecutters_dir: {tmp_path}\nreplay_dir: {tmp_path / 'replay'}\n")

    def bake(source: Path = REPOSITORY, into: Path = tmp_path, **answers: str) -> Path:
        options = {"no_input": True, "config_file": str(config), "output_dir": str(into)}
        return Path(cookiecutter(str(source), extra_context=answers, **options))

    return bake
