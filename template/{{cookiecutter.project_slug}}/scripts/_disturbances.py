"""What disturbs this bank for as long as it runs: `python scripts/_disturbances.py NAME`.

`./scripts/hook fault` starts each in the background, waits for the word that it is in place, and
ends it by SIGTERM. What one of them leaves behind when it is killed, the hook puts right.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import NoReturn

import psycopg
from _processes import send, workers
from _storage import connected, data_dir

from ourbank import embedded

READY = "ready"
LOOK_SECONDS = 0.5
APPENDING = 4242
"""The advisory lock under which the log is appended to (migrations/sql/0001_append_events.sql)."""
STUCK_PARTITION = 0
VACUUM_SECONDS = 1.0
ASLEEP_SECONDS, AWAKE_SECONDS = 1.5, 0.75
"""Longer than a lease, and long enough to find out that it is gone."""
DELAY_SECONDS = 0.025
"""Each way: a round trip takes twice that, as to a database some hundred kilometres away."""
CHUNK_BYTES = 65_536


def stuck_transaction() -> NoReturn:
    """Hold the lock under which one partition is appended to, in a transaction that never ends."""
    with connected() as connection, connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s, %s)", (APPENDING, STUCK_PARTITION))
        say_ready()
        while True:  # until it is ended, or the server has gone
            connection.execute("select 1")
            time.sleep(LOOK_SECONDS)


def idle_transaction() -> NoReturn:
    """Keep a snapshot in an idle transaction, and vacuum over and over what it keeps from going."""
    with ExitStack() as opened:
        idle, busy = (opened.enter_context(connected()) for _ in range(2))
        idle.execute("begin isolation level repeatable read")
        idle.execute("select count(*) from checkpoints")
        say_ready()
        while True:
            busy.execute("vacuum (analyze)")
            time.sleep(VACUUM_SECONDS)


def zombie_worker() -> NoReturn:
    """Suspend one worker after the other, each until another has taken its partitions over."""
    say_ready()
    while True:
        for pid in workers():
            send(signal.SIGSTOP, [pid])
            time.sleep(ASLEEP_SECONDS)
            send(signal.SIGCONT, [pid])
            time.sleep(AWAKE_SECONDS)


def slow_connection() -> None:
    """Stand between the bank and PostgreSQL, where its socket was, and pass everything on late.

    Who is connected is cut off once, and connects anew through here.
    """
    path, moved = socket_path(), moved_socket_path()
    os.umask(0)  # of the socket: the folder around it is closed
    with connected() as connection:
        path.rename(moved)
        asyncio.run(_stand_between(path, moved, partial(cut_off_all, connection)))


def cut_off_all(connection: psycopg.Connection) -> None:
    """End every connection but this one."""
    connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where backend_type = 'client backend' and pid <> pg_backend_pid()"
    )


def socket_path() -> Path:
    """Where PostgreSQL listens."""
    return data_dir() / "cluster" / f".s.PGSQL.{embedded.PORT}"


def moved_socket_path() -> Path:
    """Where its socket is while another stands in its place."""
    return socket_path().with_name(".s.moved")


async def _stand_between(path: Path, moved: Path, once_in_place: Callable[[], None]) -> None:
    async def pass_on(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_unix_connection(moved)
        await asyncio.gather(_delay(client, to_server), _delay(server, to_client))

    proxy = await asyncio.start_unix_server(pass_on, path)
    once_in_place()
    say_ready()
    await proxy.serve_forever()


async def _delay(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    later = asyncio.get_running_loop().call_later
    try:
        while data := await source.read(CHUNK_BYTES):
            later(DELAY_SECONDS, to.write, data)
    finally:
        later(DELAY_SECONDS, to.close)


def say_ready() -> None:
    """Tell who waits that it is in place."""
    print(READY, flush=True)
    sys.stdout.close()


DISTURBANCES: dict[str, Callable[[], None]] = {
    "stuck-transaction": stuck_transaction,
    "idle-transaction": idle_transaction,
    "zombie-worker": zombie_worker,
    "slow-connection": slow_connection,
}

if __name__ == "__main__":
    with suppress(psycopg.OperationalError):  # the server has gone: nothing is left to disturb
        DISTURBANCES[sys.argv[1]]()
