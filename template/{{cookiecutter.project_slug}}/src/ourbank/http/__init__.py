"""The API: one router a resource. The contract is written down in the project's openapi
document.
"""
