"""A small bank, written on the `eventsourcing` library as its documentation suggests."""
