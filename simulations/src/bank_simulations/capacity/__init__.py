"""How a bank scales: measured by a sweep, fitted, checked on points held out, then extrapolated.

`sweep` measures, `fit` finds the costs of each stage, `predict` holds the model against what it
was not fitted to, `size` says what a rate would need. Each leaves a JSON file for the next.
"""
