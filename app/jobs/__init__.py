"""Who does the work and when: the worker that takes runs, the tick that asks for what is due, the
daily run.
"""
