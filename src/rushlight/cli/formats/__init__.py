"""How each kind of artefact is written and checked.

Each module has ``write(model, folder, options)``, ``is_one(place)`` and ``check(place)``.
"""
