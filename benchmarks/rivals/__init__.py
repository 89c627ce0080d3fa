"""Those who train the same nets in the training benchmark, ourselves among them.

Each contestant lives in a child process of its own (`child.py`) and is started and warmed up
before its turns.
"""
