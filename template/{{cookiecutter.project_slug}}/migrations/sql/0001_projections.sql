-- How far each read model has come, what is parked, and which worker holds which partition.

create table checkpoints (
  read_model text   not null collate "C",
  partition  int    not null,
  position   bigint not null,
  primary key (read_model, partition)
);

create table parked_events (
  read_model text   not null collate "C",
  partition  int    not null,
  position   bigint not null,
  key        text[] not null,
  error      text   not null,  -- of the first event of a key; empty for those behind it
  parked_at  timestamptz not null default clock_timestamp(),
  primary key (read_model, partition, position, key)
);

create table leases (
  partition  int         primary key,
  owner      text        collate "C",
  epoch      int         not null default 0,
  expires_at timestamptz not null default '-infinity'
);

create table workers (
  owner      text        primary key collate "C",
  expires_at timestamptz not null
);
