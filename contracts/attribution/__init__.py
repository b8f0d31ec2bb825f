"""Attribution: which requirements are broken, of all that could explain what is wrong in a history.

``explanation.py`` says it, of what ``collect.py`` finds in the history; ``cover.py`` chooses.
"""
