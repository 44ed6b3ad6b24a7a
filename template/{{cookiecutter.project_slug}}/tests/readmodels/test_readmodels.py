"""What all read models promise the engine that folds and stores them."""

from dataclasses import fields

import pytest

from ourbank.bootstrap import AGGREGATES
from ourbank.eventsourcing.projection import ReadModel
from ourbank.readmodels import READ_MODELS

each_model = pytest.mark.parametrize("model", READ_MODELS, ids=lambda model: model.name)


@each_model
def test_the_fields_of_a_row_stand_in_the_order_of_the_columns(model: ReadModel) -> None:
    assert [f.name for f in fields(model.row_type)] == [c.name for c in model.table.columns]


@each_model
def test_the_table_has_the_name_of_the_model(model: ReadModel) -> None:
    assert model.table.name == model.name


@each_model
def test_it_folds_events_that_there_are(model: ReadModel) -> None:
    assert model.event_types
    assert model.event_types <= set(AGGREGATES.event_types)


def test_no_two_have_one_name() -> None:
    names = [model.name for model in READ_MODELS]
    assert len(set(names)) == len(names)
