"""What layouts are made of: one YAML per architecture and naming, `parts/` they share, and readers.

Data is in the YAML files; reading it and holding it against names is in the modules. No method
and no recipe is known here. Users call `surgery.layout`.
"""
