"""The alerts speak of metrics that the bank has."""

import re

import yaml
from places import SERVICE

ALERTS = yaml.safe_load((SERVICE / "deploy" / "alerts.yml").read_text())
SOURCE = "".join(path.read_text() for path in (SERVICE / "src").rglob("*.py"))
SUFFIX = re.compile(r"_(total|bucket|sum|count)$")


def test_every_metric_of_an_alert_is_published() -> None:
    rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]
    used = {name for rule in rules for name in re.findall(r"bank_[a-z_]+", rule["expr"])}
    assert len(used) >= 5
    assert [name for name in sorted(used) if f'"{SUFFIX.sub("", name)}"' not in SOURCE] == []


def test_every_alert_says_what_it_means_and_where_to_look() -> None:
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            assert set(rule["annotations"]) == {"summary", "description"}
            assert rule["labels"]["severity"] in {"page", "ticket"}
