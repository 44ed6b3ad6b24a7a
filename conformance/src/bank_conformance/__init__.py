"""A black-box conformance suite for banks.

Pointed at any implementation of the contract over HTTP, it decides which guarantees hold and says
what is broken by requirement id. What is checked stands in `contract/requirements.yaml`; how a bank
is talked to, in `bank/`; what is done to it, in `workloads/`; how a verdict is reached, in
`deciders/`.
"""

from importlib.metadata import version

__version__ = version("bank-conformance")
