"""Who is here and what they may do: principals, teams, roles and tokens, as commands and queries."""
