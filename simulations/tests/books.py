"""Tiny books in the shape of the Berka data: two accounts, six transactions, five account-days."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

JOURNAL = """\
"trans_id";"account_id";"date";"type";"operation";"amount";"balance";"k_symbol";"bank";"account"
1;10;930105;"PRIJEM";"VKLAD";700.00;700.00;"";;
2;10;930110;"VYDAJ";"VYBER";200.00;550.00;"";;
3;10;930110;"PRIJEM";"PREVOD Z UCTU";50.00;750.00;"DUCHOD";"YZ";"87144583"
4;10;930115;"VYDAJ";"PREVOD NA UCET";50.60;499.40;"SIPO";"ST";"89597016"
5;10;930131;"PRIJEM";"";1.20;500.60;"UROK";;
6;11;930107;"PRIJEM";"VKLAD";500.00;500.00;"";;
"""
CLIENTS = '"client_id";"birth_number";"district_id"\n1;"706213";18\n2;"450204";1\n'
LINKS = (
    '"disp_id";"client_id";"account_id";"type"\n'
    '1;1;10;"OWNER"\n2;2;10;"DISPONENT"\n3;2;11;"OWNER"\n'
)


def write_books(folder: Path) -> None:
    """Write them into `folder`, as the bank published them."""
    folder.mkdir(exist_ok=True)
    for name, text in (
        ("trans-1993.asc", JOURNAL),
        ("client.asc", CLIENTS),
        ("disp.asc", LINKS),
    ):
        (folder / name).write_text(text, encoding="latin-1")
