"""Any bytes give a model or the right error: the readers (`targets`), the damage (`mutations`), and the run.

``make fuzz SECONDS=60``, or ``python -m fuzz --help`` in this folder's parent.
"""
