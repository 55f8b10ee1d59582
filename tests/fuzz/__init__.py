"""Any bytes give a model or the right error: what is read (`targets`), how it is damaged (`mutations`), who does it.

``make fuzz SECONDS=60``, or ``python -m fuzz --help`` in this folder's parent.
"""
