"""What root does so that embedded PostgreSQL, which refuses to run as root, runs as another user.

Nothing is made accessible that is not ours: where the server's user cannot go, the cure is named.
"""

import pwd
import shutil
import subprocess
from pathlib import Path

SERVER_USER = "bank-postgres"
CHOOSE_ANOTHER = "choose another data folder"


class EmbeddedPostgresError(Exception):
    """The server cannot be had; the text is one line and names the cure."""


def server_user(cluster: Path) -> str:
    """The owner of the cluster, or a system user of the server's own, created when missing."""
    if cluster.exists() and cluster.owner() != "root":
        return cluster.owner()
    try:
        pwd.getpwnam(SERVER_USER)
    except KeyError:
        _create_user()
    return SERVER_USER


def check_reachable(data_dir: Path, user: str) -> None:
    """Raise EmbeddedPostgresError when the user cannot get to this folder."""
    closed = _closed_part(data_dir, user)
    if closed is not None:
        msg = (
            f"{closed} is closed to the user {user}, as which PostgreSQL runs for root:"
            f" chmod o+x {closed}, or {CHOOSE_ANOTHER}"
        )
        raise EmbeddedPostgresError(msg)


def reachable_software(software: Path, data_dir: Path, user: str) -> Path:
    """The folder of the programs; a copy in the data folder if they are out of the user's reach.

    They are when root's environment lies in root's home.
    """
    if _closed_part(software / "pginstall/bin/postgres", user) is None:
        return software
    copy = data_dir / "software" / software.name
    if not copy.exists():
        _copy_software(software, copy)
    return copy


def _create_user() -> None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    try:
        subprocess.run([*command, SERVER_USER], check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        msg = f"cannot create the user {SERVER_USER}: run as another user than root"
        raise EmbeddedPostgresError(msg) from error


def _closed_part(path: Path, user: str) -> Path | None:
    """The outermost part of the path that the user may not pass (or execute), by its mode."""
    uid = pwd.getpwnam(user).pw_uid
    for part in reversed([path, *path.parents]):
        status = part.stat()
        needed = 0o100 if status.st_uid == uid else 0o001
        if not status.st_mode & needed:
            return part
    return None


def _copy_software(software: Path, copy: Path) -> None:
    """Copy programs, what they read and the libraries they load; in place once it is whole."""
    unfinished = copy.parent.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    left_out = shutil.ignore_patterns("include", "__pycache__")
    for folder in (software, software.with_suffix(".libs")):
        shutil.copytree(folder, unfinished / folder.name, ignore=left_out)
    for part in (unfinished, *unfinished.rglob("*")):
        readable_by_owner = part.stat().st_mode & 0o500
        part.chmod(part.stat().st_mode | readable_by_owner >> 3 | readable_by_owner >> 6)
    unfinished.rename(copy.parent)
