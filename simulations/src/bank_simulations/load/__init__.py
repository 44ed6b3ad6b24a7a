"""Open-loop load: how long transfers take to become visible, decided honestly.

The pure parts come first and import neither Locust nor gevent: `scenario`, `arrivals`, `plan`,
`books`, `measurement`, `verdict`, `phases`, `share`, `search`. The moving parts stand on them:
`population`, `transfers`, `reads`, `events`, then `dispatcher` (the loop of one process),
`generators` and `worker` (several of them), `capacity`, `run`, `find_rate`. `conclude` goes from
what was seen to what is decided, `result` and `summary` say it. `selftest` proves the whole against
a known stall.
"""
