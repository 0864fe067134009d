"""HTTP: the same commands and queries, with the same rights and errors, for programs that speak JSON.

`app` puts it together. Nothing is decided here: a bearer token opens a session, and the gate does the rest.
"""
