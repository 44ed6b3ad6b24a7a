-- The event log: partitions with gapless, commit-ordered positions. `meta` and `data` are JSON, kept letter by letter as
-- they were written; `data::jsonb` makes them queryable.

create table log_settings (
  only_row        boolean primary key default true check (only_row),
  partition_count int  not null check (partition_count between 1 and 1024),
  incarnation     text not null
);

create table events (
  partition      int         not null,
  position       bigint      not null,
  stream_id      text        not null collate "C",
  version        bigint      not null,
  type           text        not null collate "C",
  schema_version smallint    not null,
  recorded_at    timestamptz not null,
  meta           text        not null,
  data           text        not null,
  primary key (partition, position)
);
create unique index events_stream on events (stream_id, version);

-- What every keyed command led to, rejections included: its events are those of the stream above `version`.
create table outcomes (
  key         uuid        primary key,
  fingerprint text        not null collate "C",
  stream_id   text        not null collate "C",
  version     bigint      not null,
  event_count int         not null,
  rejection   text,
  recorded_at timestamptz not null
);
create index outcomes_recorded_at on outcomes using brin (recorded_at);

create table snapshots (
  stream_id   text   primary key collate "C",
  version     bigint not null,
  fingerprint bytea  not null,
  state       bytea  not null
);
