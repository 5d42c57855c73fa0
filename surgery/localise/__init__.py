"""Where does a model keep a concept: a probe's arms are run, judged and made a report.

What to try is the probe's, how it is run `runs`', what it shows a judge's.
"""
