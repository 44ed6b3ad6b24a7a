"""Transfers in the shape of the AMLSim data: four accounts, where every order matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NODES = """\
nodeid,isFraud,init_balance,fraudStep\r
0,0,100.00,-1\r
1,0,50.5,-1\r
2,1,0.00,3\r
3,0,7.25,-1\r
"""
TRANSACTIONS = """\
sourceNodeId,targetNodeId,value,time\r
0,2,60.00,1\r
0,1,60.00,1\r
2,3,59.99,2\r
2,3,0.02,2\r
3,1,67.24,3\r
1,1,117.74,3\r
1,1,117.75,3\r
1,0,117.70,4\r
3,0,0.01,4\r
"""
COMPLETED, REFUSED = 5, 4


def write_sample(folder: Path) -> None:
    """Write them into `folder`, as they were published."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nodes.csv").write_text(NODES, newline="")
    (folder / "transactions.csv").write_text(TRANSACTIONS, newline="")
