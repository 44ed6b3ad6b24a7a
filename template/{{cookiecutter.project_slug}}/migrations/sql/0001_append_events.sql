-- One batch of appends to one partition: lock, read, compare, keep the outcomes, insert.
--
-- Must run at READ COMMITTED: every statement below sees what was committed before the lock was granted. (A single
-- statement could not: a CTE keeps the snapshot from before it waited.)
--
-- Each append i (1, 2, …) has the streams its decision rests on (expect_*), perhaps a key (key_*), and its events (event_*).
create function append_events(
  in the_partition       int,
  in expected_head       bigint,
  in expect_append       int[],   in expect_stream text[],  in expect_version bigint[],
  in key_append          int[],   in key_id        uuid[],  in key_fingerprint text[],  in key_stream text[],
  in key_version         bigint[], in key_event_count int[], in key_rejection text[],
  in event_append        int[],   in event_stream  text[],  in event_version bigint[],  in event_type text[],
  in event_schema        smallint[], in event_meta text[],  in event_data text[],
  out head bigint, out at timestamptz, out stale int[], out duplicate int[]
) language plpgsql as $$
declare
  last_at  timestamptz;
  fresh    uuid[];
  refused  int[];
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using message = 'append_events needs READ COMMITTED, not ' || current_setting('transaction_isolation');
  end if;
  stale := '{}'; duplicate := '{}';

  -- lock
  perform pg_advisory_xact_lock(4242, the_partition);

  -- read
  select position, recorded_at into head, last_at
    from events where partition = the_partition order by position desc limit 1;
  head := coalesce(head, 0);
  at := greatest(clock_timestamp(), last_at);  -- a clock set back never disorders the log

  -- keep the outcomes: sorted, so that two partitions given the same keys cannot wait for each other in a ring
  if cardinality(key_id) > 0 then
    with kept as (
      insert into outcomes
      select k.id, coalesce(k.fingerprint, ''), k.stream, k.version, k.event_count, k.rejection, at
        from unnest(key_id, key_fingerprint, key_stream, key_version, key_event_count, key_rejection)
             as k(id, fingerprint, stream, version, event_count, rejection)
       order by k.id
      on conflict (key) do nothing
      returning key)
    select array_agg(key) into fresh from kept;
    if coalesce(cardinality(fresh), 0) < cardinality(key_id) then
      select array_agg(k.append) into duplicate
        from unnest(key_append, key_id) as k(append, id) where k.id <> all (coalesce(fresh, '{}'));
    end if;
  end if;

  -- compare: nothing to do while nobody else has written
  if head <> expected_head or duplicate <> '{}' then
    stale := stale_appends(duplicate, expect_append, expect_stream, expect_version, event_append, event_stream);
    if stale <> '{}' then
      delete from outcomes using unnest(key_append, key_id) as k(append, id)
       where outcomes.key = k.id and k.append = any (stale) and k.id = any (fresh);
    end if;
  end if;
  refused := stale || duplicate;

  -- insert
  if refused = '{}' then
    insert into events
    select the_partition, head + e.n, e.stream, e.version, e.type, e.schema, at, e.meta, e.data
      from unnest(event_stream, event_version, event_type, event_schema, event_meta, event_data)
           with ordinality as e(stream, version, type, schema, meta, data, n);
  else
    insert into events
    select the_partition, head + row_number() over (order by e.n), e.stream, e.version, e.type, e.schema, at, e.meta, e.data
      from unnest(event_append, event_stream, event_version, event_type, event_schema, event_meta, event_data)
           with ordinality as e(append, stream, version, type, schema, meta, data, n)
     where e.append <> all (refused);
  end if;
end $$;

-- Which appends rest on a version that is not there: the stream moved, or an append before it in the batch was refused. After
-- a refusal the streams it would have written fit nothing more in this batch, not even a version that a stranger has put there.
create function stale_appends(
  duplicate int[], expect_append int[], expect_stream text[], expect_version bigint[], event_append int[], event_stream text[]
) returns int[] language plpgsql as $$
declare
  versions jsonb;   -- where each stream stands as the batch is gone through
  moved    boolean;
  stale    int[] := '{}';
  r        record;
begin
  select coalesce(jsonb_object_agg(s.stream, coalesce(h.version, 0)), '{}'), coalesce(bool_or(coalesce(h.version, 0) <> s.version), false)
    into versions, moved
    from (select stream, min(version) as version from unnest(expect_stream, expect_version) as u(stream, version) group by stream) s
    left join lateral (select version from events where stream_id = s.stream order by version desc limit 1) h on true;
  if not moved and duplicate = '{}' then  -- the usual case: others wrote to this partition, but not to these streams
    return stale;
  end if;

  for r in
    select x.append, array_agg(x.stream) as streams, array_agg(x.version) as expected, array_agg(coalesce(e.n, 0)) as added
      from unnest(expect_append, expect_stream, expect_version) as x(append, stream, version)
      left join (select append, stream, count(*) as n from unnest(event_append, event_stream) as u(append, stream) group by 1, 2) e
           using (append, stream)
     group by x.append order by x.append
  loop
    if r.append = any (duplicate)
       or exists (select from unnest(r.streams, r.expected) as q(stream, version) where (versions ->> q.stream)::bigint <> q.version)
    then
      if r.append <> all (duplicate) then
        stale := stale || r.append;
      end if;
      select versions || coalesce(jsonb_object_agg(q.stream, -1), '{}') into versions
        from unnest(r.streams, r.added) as q(stream, n) where q.n > 0;
    else
      select versions || jsonb_object_agg(q.stream, (versions ->> q.stream)::bigint + q.n) into versions
        from unnest(r.streams, r.added) as q(stream, n);
    end if;
  end loop;
  return stale;
end $$;
