"""Bake banks as `cookiecutter` does, without touching the home folder of whoever runs the tests."""

from pathlib import Path

from cookiecutter.main import cookiecutter
from places import REPOSITORY, Bake


def baker(folder: Path) -> Bake:
    """Bake a bank from the answers given, from the repository's root unless told otherwise."""
    config = folder / "cookiecutter.yaml"
    config.write_text(f"cookiecutters_dir: {folder}\nreplay_dir: {folder / 'replay'}\n")

    def bake(source: Path = REPOSITORY, into: Path = folder, **answers: str) -> Path:
        options = {"no_input": True, "config_file": str(config), "output_dir": str(into)}
        return Path(cookiecutter(str(source), extra_context=answers, **options))

    return bake
