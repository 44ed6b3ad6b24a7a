"""Programs that run in a bank's own Python, beside its code: its engine, its log, its rebuild.

They use the standard library, this folder and the bank's public services, nothing else, so they
work in the environment of any generated bank. Each is a child of the benchmark that hears jobs as
lines of JSON on its input and answers each with a line on its output.
"""
