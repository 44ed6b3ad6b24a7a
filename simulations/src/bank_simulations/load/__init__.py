"""Open-loop load: how long transfers take to become visible, decided honestly.

The pure parts come first and import neither Locust nor gevent: `scenario`, `arrivals`, `plan`,
`interval`, `books`, `measurement`, `verdict`. The moving parts stand on them: `population`,
`transfers`, `dispatcher`, `capacity`, `run`. `selftest` proves the whole against a known stall.
"""
